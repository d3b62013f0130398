/** What `--engine` takes. */
export const ENGINE_NAMES = ["onnxruntime", "tfjs", "auto"] as const;
export type EngineName = Exclude<(typeof ENGINE_NAMES)[number], "auto">;
