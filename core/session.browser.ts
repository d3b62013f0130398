import * as ort from "onnxruntime-web";
import { sessionMaker } from "./session.runtime.ts";

/** Runs a model with onnxruntime-web as WebAssembly, with threads where the page is cross-origin isolated. */
export const createSession = sessionMaker(ort, {
  options: () => ({ executionProviders: ["wasm"], logSeverityLevel: 4 }),
  writesInPlace: false,
});
