import type { OpName } from "../../models/ops/index.ts";
import * as activations from "./activations.ts";
import * as arithmetic from "./arithmetic.ts";
import type { ReferenceFunction } from "./array.ts";
import * as axes from "./axes.ts";
import * as batchNorm from "./batch-norm.ts";
import * as constants from "./constants.ts";
import * as conv from "./conv.ts";
import * as elementwise from "./elementwise.ts";
import * as matrix from "./matrix.ts";
import * as movement from "./movement.ts";
import * as normalization from "./normalization.ts";
import * as pool from "./pool.ts";
import * as reduce from "./reduce.ts";
import * as softmax from "./softmax.ts";

/** What every operator means, in float64 and plain loops, written from the operators' text and not from models/ops. */
export const REFERENCE: { readonly [K in OpName]: ReferenceFunction } = {
  ...activations,
  ...arithmetic,
  ...axes,
  ...batchNorm,
  ...constants,
  ...conv,
  ...elementwise,
  ...matrix,
  ...movement,
  ...normalization,
  ...pool,
  ...reduce,
  ...softmax,
};
