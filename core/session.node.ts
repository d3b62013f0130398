import * as ort from "onnxruntime-node";
import { sessionMaker } from "./session.runtime.ts";

/** The version of onnxruntime-node. */
export const RUNTIME_VERSION: string = ort.env.versions.node ?? ort.env.versions.common;

/** Runs a model with onnxruntime-node on the CPU. `run` blocks this thread until the graph has run. */
export const createSession = sessionMaker(ort, {
  options: ({ threads, spin = true }) => ({
    executionProviders: ["cpu"],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    ...(!spin && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
    interOpNumThreads: 1,
    logSeverityLevel: 4, // what fails is thrown, and said once
  }),
  writesInPlace: true,
});
