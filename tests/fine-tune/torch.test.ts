import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { sizeOf, tensor } from "../../core/tensor.ts";
import { networkOf } from "../../export/import-model.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { openModelFile } from "../../training/model-file.node.ts";
import { sgd } from "../../training/optimizers.ts";
import { DEFAULTS } from "../../training/run-config.ts";
import { needPeers, runPython } from "../export/peers.ts";

const folder = await mkdtemp(join(tmpdir(), "fivecrop-torch-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Answer {
  readonly dynamo: boolean;
  readonly cases: readonly { readonly file: string; readonly losses: readonly number[] }[];
}

const [BATCH, CLASSES] = [6, 5];

/** As the script has them. */
function values(shape: readonly number[], seed: number) {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, n) => (((n * 7919 + seed * 104729) % 10007) / 10007) * 2 - 1);
  return tensor("float32", shape, data);
}

const targets = tensor(
  "float32",
  [BATCH, CLASSES],
  Float32Array.from({ length: BATCH * CLASSES }, (_, i) => Number(i % CLASSES === Math.floor(i / CLASSES) % CLASSES)),
);

/** The losses of three steps that train a file further as it is, its own head included. */
async function lossesOf(file: string): Promise<number[]> {
  const classNames = Array.from({ length: CLASSES }, (_, i) => `class ${i}`);
  const model = await openModelFile({ ...DEFAULTS, model: join(folder, file), data: "" });
  const metadata = { labels: classNames, preprocess: undefined as never, outputKind: "logits" as const };
  const { network } = networkOf({ ...model, metadata }, { name: file, classNames });
  const engine = createOnnxRuntimeEngine({ network, optimizer: sgd({ momentum: 0.9 }), createSession, threads: 1 });
  try {
    await engine.initialize({ seed: 0 });
    const losses: number[] = [];
    for (let step = 0; step < 3; step++) {
      const [{ loss }] = await engine.train([{ images: values([BATCH, 3, 16, 16], step), targets }], [0.05]);
      losses.push(loss);
    }
    return losses;
  } finally {
    await engine.dispose();
  }
}

describe.runIf(needPeers("three steps of PyTorch's exported networks, there and here"))("PyTorch's exporters", () => {
  test("batch norm kept and folded, a batch of one and a dynamic one, opsets 9 to 20: the losses of three steps", {
    timeout: 600_000,
  }, async () => {
    const script = await readFile(new URL("torch.py", import.meta.url), "utf8");
    const answer = JSON.parse(runPython(script, folder).trim().split("\n").at(-1)!) as Answer;
    if (!answer.dynamo) console.log("skipped: PyTorch's newer exporter (it needs onnxscript beside PyTorch)");
    expect(answer.cases.length).toBeGreaterThanOrEqual(21);
    for (const { file, losses } of answer.cases) {
      const found = await lossesOf(file);
      losses.forEach((loss, step) => {
        expect(Math.abs(found[step] - loss) / loss, `${file}, step ${step + 1}: ${found[step]} against ${loss}`).toBeLessThan(1e-3);
      });
      expect(losses[2], file).not.toBeCloseTo(losses[0], 4);
    }
  });
});
