/** The package's version, as model files record it. */
export const VERSION = "0.1.0";
