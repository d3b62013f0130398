// The resampler beside Pillow's, in turn in one run: npm run bench:resize
// PEERS names the directory that holds venv/bin/python with Pillow and NumPy. Both resize pixels that are in memory already.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { resize } from "../dist/pipeline/resize.js";
import { middle, spread } from "./rounds.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 25);
const CASES = [
  { width: 4000, height: 3000, channels: 3, to: [341, 256], filter: "bilinear" },
  { width: 4000, height: 3000, channels: 3, to: [341, 256], filter: "bicubic" },
  { width: 4000, height: 3000, channels: 3, to: [341, 256], filter: "nearest" },
  { width: 4000, height: 3000, channels: 1, to: [341, 256], filter: "bilinear" },
  { width: 640, height: 480, channels: 3, to: [341, 256], filter: "bilinear" },
  { width: 256, height: 256, channels: 3, to: [512, 512], filter: "bilinear" },
];
const PILLOW = `
import hashlib, json, sys, time
import numpy as np
from PIL import Image
for line in sys.stdin:
    q = json.loads(line)
    if "width" in q:
        h, w, c = q["height"], q["width"], q["channels"]
        pixels = (np.arange(h * w * c, dtype=np.uint32) * np.uint32(2654435761) >> np.uint32(24)).astype(np.uint8)
        image = Image.fromarray(pixels.reshape((h, w, c) if c == 3 else (h, w)))
        to, method = tuple(q["to"]), Image.Resampling[q["filter"].upper()]
        print(json.dumps(hashlib.sha256(image.resize(to, method).tobytes()).hexdigest()), flush=True)
    else:
        start = time.perf_counter()
        for _ in range(q["times"]):
            image.resize(to, method)
        print((time.perf_counter() - start) * 1e3 / q["times"], flush=True)
`;

/** Questions to the peer, one line each, answered by one line each; undefined where it is not there. */
function startPeer() {
  const python = process.env.PEERS && join(process.env.PEERS, "venv/bin/python");
  if (!python || !existsSync(python)) {
    console.log("Pillow is not measured: set PEERS to a directory with venv/bin/python.");
    return undefined;
  }
  const peer = spawn(python, ["-c", PILLOW], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  const ask = async (question) => {
    peer.stdin.write(`${JSON.stringify(question)}\n`);
    return JSON.parse((await answers.next()).value);
  };
  return { ask, quit: () => peer.stdin.end() };
}

const sha256 = async (bytes) => Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");

const peer = startPeer();
console.log("picture → size, filter                      ours, ms                Pillow, ms              Pillow / ours, median");
for (const one of CASES) {
  const { width, height, channels, to, filter } = one;
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  const image = { width, height, channels, data };
  const size = { width: to[0], height: to[1] };
  const theirPixels = await peer?.ask(one);
  const ourPixels = await sha256(resize(image, size, filter).data);
  if (peer && ourPixels !== theirPixels) throw new Error(`${width}×${height}×${channels}, ${filter}: the pixels differ from Pillow's`);
  const times = Math.max(1, Math.round(4e6 / (width * height)));
  const [ours, theirs] = [[], []];
  for (let round = -2; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < times; i++) resize(image, size, filter);
    const mine = (performance.now() - start) / times;
    const other = await peer?.ask({ times });
    if (round < 0) continue; // both are warm
    ours.push(mine);
    if (peer) theirs.push(other);
  }
  const name = `${width}×${height}×${channels} → ${to.join("×")}, ${filter}`;
  const ratio = peer ? middle(theirs.map((ms, i) => ms / ours[i])).toFixed(2) : "";
  console.log(`${name.padEnd(43)} ${spread(ours, 2).padEnd(23)} ${(peer ? spread(theirs, 2) : "").padEnd(23)} ${ratio}`);
}
peer?.quit();
