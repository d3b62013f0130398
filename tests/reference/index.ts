import type { OpName } from "../../models/ops/index.ts";
import * as arithmetic from "./arithmetic.ts";
import type { ReferenceFunction } from "./array.ts";
import * as batchNorm from "./batch-norm.ts";
import * as conv from "./conv.ts";
import * as elementwise from "./elementwise.ts";
import * as matrix from "./matrix.ts";
import * as movement from "./movement.ts";
import * as pool from "./pool.ts";
import * as reduce from "./reduce.ts";
import * as softmax from "./softmax.ts";

/** What every operator means, in float64 and plain loops, written from the operators' text and not from models/ops. */
export const REFERENCE: { readonly [K in OpName]: ReferenceFunction } = {
  ...arithmetic,
  ...batchNorm,
  ...conv,
  ...elementwise,
  ...matrix,
  ...movement,
  ...pool,
  ...reduce,
  ...softmax,
};
