/** The ports of a self-contained file. */
export const SELF_CONTAINED = { input: "pictures", output: "probabilities" } as const;
