/** float16: sign, 5 bits of exponent, 10 of fraction. */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

/** Little-endian float16 or bfloat16 (float32's upper half) as float32: every number exactly. */
export function toFloat32(type: "F16" | "BF16", bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const result = new Float32Array(bytes.length / 2);
  const words = new Uint32Array(result.buffer);
  for (let i = 0; i < result.length; i++) {
    const bits = bytes[2 * i] | (bytes[2 * i + 1] << 8);
    if (type === "BF16") words[i] = bits << 16;
    else result[i] = fromFloat16(bits);
  }
  return result;
}
