// The one-line command on a folder beside the bare session on as many views: npm run bench:features
// FIVECROP_DATA names the folder of flowers-102/. The session is timed before and after the command, fed from memory; SECONDS says for how long.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSession } from "../dist/core/session.node.js";
import { tensor } from "../dist/core/tensor.js";

const SECONDS = Number(process.env.SECONDS ?? 15);
const BATCH = 16;
const root = join(import.meta.dirname, "..");

/** Views a second. */
async function bareRate() {
  const session = await createSession(readFileSync(join(root, "models/pretrained/mobilenetv2-imagenet-headless.onnx")), { threads: 2 });
  const [{ name }] = session.inputs;
  const images = tensor("float32", [BATCH, 3, 224, 224], new Float32Array(BATCH * 3 * 224 * 224).fill(0.3));
  await session.run({ [name]: images });
  const begun = performance.now();
  let views = 0;
  while (performance.now() - begun < SECONDS * 1e3) {
    await session.run({ [name]: images });
    views += BATCH;
  }
  const rate = views / ((performance.now() - begun) / 1e3);
  await session.dispose();
  return rate;
}

const folder = mkdtempSync(join(tmpdir(), "fivecrop-bench-"));
try {
  const before = await bareRate();
  const begun = performance.now();
  const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
  const command = [join(root, "dist/cli.js"), "train", "--data", "flowers-102", "--out", join(folder, "run")];
  const said = execFileSync(process.execPath, command, { encoding: "utf8", env, stdio: ["ignore", "pipe", "inherit"] });
  const seconds = (performance.now() - begun) / 1e3;
  const after = await bareRate();
  const [, trained, views, validated] = /([\d,]+) images to train on in (\d+) views each, ([\d,]+) to validate on/.exec(said);
  const [, test] = / % of ([\d,]+) images/.exec(said);
  const number = (text) => Number(text.replaceAll(",", ""));
  const all = number(trained) * number(views) + number(validated) + number(test);
  const rate = (before + after) / 2;
  console.log(
    `train --data flowers-102: ${seconds.toFixed(1)} s for ${all} views; the bare session, ${before.toFixed(1)} and ${after.toFixed(1)} views/s: ` +
      `${(all / rate).toFixed(1)} s. ${((seconds * rate) / all).toFixed(2)} times its time.`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
