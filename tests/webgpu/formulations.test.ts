import { describe } from "vitest";
import { describeFormulations } from "../training/formulation-checks.ts";
import { everything, hasAdapter } from "./adapter.ts";

if (!everything) console.log("skipped: formulations on WebGPU (too slow on a software adapter; FIVECROP_WEBGPU=all runs them)");
describe.skipIf(!everything || !(await hasAdapter("formulations on WebGPU")))("on WebGPU", () => {
  describeFormulations("webgpu");
});
