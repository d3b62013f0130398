import { messageOf } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import { serialize } from "../../export/serialize.ts";
import { graphBuilder } from "../../models/ops/index.ts";

/** Everything: most of it takes many minutes on a software adapter, which compiles each of a step's shaders for a processor. */
export const everything = process.env.FIVECROP_WEBGPU === "all";

/** Whether WebGPU is to be had: these tests' processes are started with npm's Chromium's software adapter, where that is. Why not is said. */
export async function hasAdapter(tests: string): Promise<boolean> {
  const g = graphBuilder();
  const model = serialize(g.build("relu", [g.add("Relu", [g.input("x", "float32", [1])])]));
  try {
    await (await createSession(model, { device: "webgpu" })).dispose();
    return true;
  } catch (error) {
    console.log(`skipped: ${tests} (${messageOf(error)})`);
    return false;
  }
}
