import { FivecropError, messageOf } from "../core/errors.ts";
import { KERNEL } from "./resize.kernel.generated.ts";

type Address = number;

/** Along rows; see resize.kernel.ts, which says what each does. */
type AddRows = (
  source: Address,
  stride: number,
  rows: number,
  windows: Address,
  length: number,
  weights: Address,
  sums: Address,
  sumStride: number,
) => void;

interface Functions {
  readonly addRowsRgb: AddRows;
  readonly addRowsGray: AddRows;
  readonly addColumns: (source: Address, stride: number, samples: number, fours: number, weights: Address, sums: Address) => void;
  readonly finish: (sums: Address, samples: number, result: Address) => void;
}

/** Samples of a tile's row, at most: RGB pixels have three. */
export const TILE_SAMPLES = 2048;
/** Rows of a tile of the result, at most. */
export const TILE_ROWS = 512;
/** Rows of a strip of the source, at most. */
export const STRIP_ROWS = 64;
/** Bytes of a strip of the source, at most. */
export const STRIP_BYTES = 1 << 18;
/** Fours of weights that are held at a time, at most, along each side. */
export const FOURS = 1 << 14;

const PAGE = 1 << 16;
/** What a kernel reads beyond the end of a row, and a row of sums that it may write there. */
const SPARE = 8 * TILE_SAMPLES;

/** The parts of the kernel's memory, in bytes. */
const PARTS = {
  strip: STRIP_BYTES + SPARE,
  windows: 8 * TILE_SAMPLES,
  rowWeights: 16 * FOURS,
  rowSums: 4 * TILE_SAMPLES * (STRIP_ROWS + 1) + SPARE,
  row: TILE_SAMPLES,
  samples: TILE_SAMPLES * STRIP_ROWS + SPARE,
  columnWeights: 4 * STRIP_ROWS,
  columnSums: 4 * TILE_SAMPLES * TILE_ROWS + SPARE,
};

/** The compiled kernel, and views of its memory's parts with their addresses. */
export interface Kernel {
  readonly call: Functions;
  readonly at: { readonly [P in keyof typeof PARTS]: Address };
  readonly bytes: Uint8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
}

/** Compiled, with about 6 MB of memory that never grows. @throws FivecropError where there is no WebAssembly with SIMD */
function createKernel(): Kernel {
  let end = 0;
  const places = Object.entries(PARTS).map(([part, bytes]) => {
    const place = end;
    end += Math.ceil(bytes / 16) * 16;
    return [part, place] as const;
  });
  const pages = Math.ceil(end / PAGE);
  const binary = Uint8Array.from(atob(KERNEL), (character) => character.charCodeAt(0));
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env: { memory } });
    return {
      call: exports as unknown as Functions,
      at: Object.fromEntries(places) as Kernel["at"],
      bytes: new Uint8Array(memory.buffer),
      int16: new Int16Array(memory.buffer),
      int32: new Int32Array(memory.buffer),
    };
  } catch (cause) {
    throw new FivecropError(
      `resize: its WebAssembly kernel cannot be started (${messageOf(cause)}). Expected WebAssembly with SIMD, which Node 20 and every browser since 2023 have, and a page whose security policy allows 'wasm-unsafe-eval'.`,
      { cause },
    );
  }
}

let kernel: Kernel | undefined;

/** The kernel of this thread, made at its first use. A resize holds it from start to end without waiting, so nobody else is in it. */
export function theKernel(): Kernel {
  kernel ??= createKernel();
  return kernel;
}
