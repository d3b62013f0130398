import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { placeCrop, resizedSize } from "../../pipeline/geometry.ts";
import { createImage, type Image } from "../../pipeline/image.ts";
import { type Filter, resize } from "../../pipeline/resize.ts";
import { needPeers, runPython } from "../export/peers.ts";

const there = needPeers("Pillow on sizes drawn at random");

/** Bytes that both sides can make: the highest of i · 2654435761 mod 2^32. */
const picture = (width: number, height: number, channels: 1 | 3): Image =>
  createImage(
    width,
    height,
    channels,
    Uint8Array.from({ length: width * height * channels }, (_, i) => Math.imul(i, 2654435761) >>> 24),
  );

const RESIZE = `
import hashlib, json, sys
import numpy as np
from PIL import Image
for w, h, c, width, height, filter in json.loads(sys.argv[1]):
    pixels = (np.arange(h * w * c, dtype=np.uint32) * np.uint32(2654435761) >> np.uint32(24)).astype(np.uint8)
    image = Image.fromarray(pixels.reshape((h, w, c) if c == 3 else (h, w)))
    print(hashlib.sha256(image.resize((width, height), Image.Resampling[filter.upper()]).tobytes()).hexdigest())
`;

test.skipIf(!there)("Pillow's own pixels on 180 sizes drawn at random, gray and RGB, in every filter", () => {
  const numbers = random(5);
  const side = (): number => 1 + numbers.integer(numbers.integer(3) ? 90 : 900);
  const cases = Array.from({ length: 180 }, (_, i) => {
    const filter: Filter = (["bilinear", "bicubic", "nearest"] as const)[i % 3];
    return [side(), side(), i % 2 ? 3 : 1, side(), side(), filter] as readonly [number, number, 1 | 3, number, number, Filter];
  });
  const narrow = [
    [3, 421, 3, 37, 37, "bilinear"], // more than 100 times as high as wide: Pillow's passes change places
    [3, 300, 3, 37, 37, "bilinear"],
    [3, 421, 1, 37, 500, "bicubic"],
    [2, 4000, 1, 2, 90, "bicubic"],
  ] as const;
  cases.push(...narrow);
  const expected = runPython(RESIZE, JSON.stringify(cases)).trim().split("\n");
  const found = cases.map(([w, h, c, width, height, filter]) =>
    createHash("sha256")
      .update(resize(picture(w, h, c), { width, height }, filter).data)
      .digest("hex"),
  );
  expect(found.length).toBe(expected.length);
  for (const [i, hash] of found.entries()) expect([cases[i], hash]).toEqual([cases[i], expected[i]]);
});

// torchvision.transforms.functional: _compute_resized_output_size and center_crop, where the crop fits
const PLACES = `
import json, sys
for w, h, size, crop in json.loads(sys.argv[1]):
    short, long = (w, h) if w <= h else (h, w)
    longer = int(size * long / short)
    W, H = (size, longer) if w <= h else (longer, size)
    print(json.dumps([W, H, int(round((W - crop) / 2.0)), int(round((H - crop) / 2.0))]))
`;

test.skipIf(!there)("sizes and center crops round as Python's own arithmetic does in torchvision's formulas", () => {
  const numbers = random(6);
  const cases = Array.from({ length: 2000 }, () => {
    const size = 1 + numbers.integer(400);
    return [1 + numbers.integer(5000), 1 + numbers.integer(5000), size, 1 + numbers.integer(size)];
  });
  const expected = runPython(PLACES, JSON.stringify(cases))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const found = cases.map(([width, height, shorter, crop]) => {
    const size = resizedSize({ width, height }, shorter);
    const { x, y } = placeCrop(size, [crop, crop], "center");
    return [size.width, size.height, x, y];
  });
  expect(found).toEqual(expected);
});
