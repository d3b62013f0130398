// AssemblyScript, not TypeScript: `npm run build:kernel` compiles it into resize.kernel.generated.ts. The inner loops of resample.ts.
//
// A weight w of 22 fractional bits is two 16-bit numbers, w = high · 2^11 + low, so that one instruction multiplies two taps by two weights and adds
// the products: i32x4.dot_i16x8_s. Four taps share 16 bytes: high of 0 and 1, low of 0 and 1, high of 2 and 3, low of 2 and 3. Sums are int32, modulo 2^32, and therefore may be made
// in any order and in parts. Weights beyond the last tap are 0; what they multiply is read and may be anything.

const LOW_BITS: i32 = 11;
const PRECISION: i32 = 22;

/** [high, low] sums → int32 sums. */
function join(high: v128, low: v128): v128 {
  return i32x4.add(i32x4.shl(high, LOW_BITS), low);
}

/** Adds the three channels of a pixel to its sums, and leaves the next pixel's alone. */
function addPixel(at: usize, high: v128, low: v128): void {
  const sum = i32x4.add(v128.load(at), join(high, low));
  v128.store64_lane(at, sum, 0);
  v128.store32_lane(at, sum, 2, 8);
}

/**
 * Along rows of RGB pixels, two rows at a time (of an odd number, one row more): sums[row, x, channel] += Σ_t weight[x, t] · source[row, start[x] + t, channel].
 * @param windows for each x: start in bytes from the row's first byte, and the number of weights / 4
 * @param weights all of x = 0, then of x = 1, …
 * @param sumStride bytes from one row's sums to the next's
 */
export function addRowsRgb(
  source: usize,
  stride: usize,
  rows: usize,
  windows: usize,
  length: usize,
  weights: usize,
  sums: usize,
  sumStride: usize,
): void {
  const first = i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1); // r0 r1 g0 g1 b0 b1
  const second = i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1); // r2 r3 g2 g3 b2 b3
  for (let y: usize = 0; y < rows; y += 2) {
    let w = weights;
    let sum = sums + y * sumStride;
    for (let x: usize = 0; x < length; x++) {
      let at = source + y * stride + load<u32>(windows + (x << 3));
      const end = w + (load<u32>(windows + (x << 3), 4) << 4);
      let high0 = i32x4.splat(0);
      let low0 = i32x4.splat(0);
      let high1 = i32x4.splat(0);
      let low1 = i32x4.splat(0);
      for (; w < end; w += 16, at += 12) {
        const highA = v128.load32_splat(w);
        const lowA = v128.load32_splat(w, 4);
        const highB = v128.load32_splat(w, 8);
        const lowB = v128.load32_splat(w, 12);
        const pixels0 = v128.load(at);
        const a0 = i8x16.swizzle(pixels0, first);
        const b0 = i8x16.swizzle(pixels0, second);
        high0 = i32x4.add(high0, i32x4.add(i32x4.dot_i16x8_s(a0, highA), i32x4.dot_i16x8_s(b0, highB)));
        low0 = i32x4.add(low0, i32x4.add(i32x4.dot_i16x8_s(a0, lowA), i32x4.dot_i16x8_s(b0, lowB)));
        const pixels1 = v128.load(at + stride);
        const a1 = i8x16.swizzle(pixels1, first);
        const b1 = i8x16.swizzle(pixels1, second);
        high1 = i32x4.add(high1, i32x4.add(i32x4.dot_i16x8_s(a1, highA), i32x4.dot_i16x8_s(b1, highB)));
        low1 = i32x4.add(low1, i32x4.add(i32x4.dot_i16x8_s(a1, lowA), i32x4.dot_i16x8_s(b1, lowB)));
      }
      addPixel(sum, high0, low0);
      addPixel(sum + sumStride, high1, low1);
      sum += 12;
    }
  }
}

/** As addRowsRgb, along rows of gray pixels. */
export function addRowsGray(
  source: usize,
  stride: usize,
  rows: usize,
  windows: usize,
  length: usize,
  weights: usize,
  sums: usize,
  sumStride: usize,
): void {
  const twice = i8x16(0, -1, 1, -1, 0, -1, 1, -1, 2, -1, 3, -1, 2, -1, 3, -1);
  for (let y: usize = 0; y < rows; y++) {
    let w = weights;
    const sum = sums + y * sumStride;
    for (let x: usize = 0; x < length; x++) {
      let at = source + y * stride + load<u32>(windows + (x << 3));
      const end = w + (load<u32>(windows + (x << 3), 4) << 4);
      let parts = i32x4.splat(0); // high, low, high, low
      for (; w < end; w += 16, at += 4)
        parts = i32x4.add(parts, i32x4.dot_i16x8_s(i8x16.swizzle(v128.load32_splat(at), twice), v128.load(w)));
      const high = i32x4.extract_lane(parts, 0) + i32x4.extract_lane(parts, 2);
      const low = i32x4.extract_lane(parts, 1) + i32x4.extract_lane(parts, 3);
      const total = sum + (x << 2);
      store<i32>(total, load<i32>(total) + (high << LOW_BITS) + low);
    }
  }
}

/** Down columns of samples, eight at a time: sums[i] += Σ_t weight[t] · source[t, i]. @param quads the number of weights / 4 */
export function addColumns(source: usize, stride: usize, samples: usize, quads: usize, weights: usize, sums: usize): void {
  const end = weights + (quads << 4);
  for (let i: usize = 0; i < samples; i += 8) {
    let at = source + i;
    let high0 = i32x4.splat(0);
    let low0 = i32x4.splat(0);
    let high1 = i32x4.splat(0);
    let low1 = i32x4.splat(0);
    for (let w = weights; w < end; w += 8, at += stride << 1) {
      const above = v128.load64_zero(at);
      const below = v128.load64_zero(at + stride);
      // biome-ignore format: pairs
      const pairs = i8x16.shuffle(above, below, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const a = i16x8.extend_low_i8x16_u(pairs);
      const b = i16x8.extend_high_i8x16_u(pairs);
      const high = v128.load32_splat(w);
      const low = v128.load32_splat(w, 4);
      high0 = i32x4.add(high0, i32x4.dot_i16x8_s(a, high));
      low0 = i32x4.add(low0, i32x4.dot_i16x8_s(a, low));
      high1 = i32x4.add(high1, i32x4.dot_i16x8_s(b, high));
      low1 = i32x4.add(low1, i32x4.dot_i16x8_s(b, low));
    }
    const sum = sums + (i << 2);
    v128.store(sum, i32x4.add(v128.load(sum), join(high0, low0)));
    v128.store(sum, i32x4.add(v128.load(sum, 16), join(high1, low1)), 16);
  }
}

/** int32 sums → 8-bit samples, clipped, sixteen at a time. */
export function finish(sums: usize, samples: usize, result: usize): void {
  for (let i: usize = 0; i < samples; i += 16) {
    const at = sums + (i << 2);
    const low = i16x8.narrow_i32x4_s(i32x4.shr_s(v128.load(at), PRECISION), i32x4.shr_s(v128.load(at, 16), PRECISION));
    const high = i16x8.narrow_i32x4_s(i32x4.shr_s(v128.load(at, 32), PRECISION), i32x4.shr_s(v128.load(at, 48), PRECISION));
    v128.store(result + i, i8x16.narrow_i16x8_u(low, high));
  }
}
