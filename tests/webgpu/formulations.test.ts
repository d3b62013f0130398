import { describe } from "vitest";
import { describeFormulations } from "../training/formulation-checks.ts";
import { hasAdapter } from "./adapter.ts";

describe.skipIf(!(await hasAdapter("formulations on WebGPU")))("on WebGPU", () => {
  describeFormulations("webgpu");
});
