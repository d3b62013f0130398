import type { OpName } from "../../models/ops/index.ts";
import * as activations from "./cases/activations.ts";
import * as arithmetic from "./cases/arithmetic.ts";
import * as axes from "./cases/axes.ts";
import * as batchNorm from "./cases/batch-norm.ts";
import type { Case } from "./cases/case.ts";
import * as constants from "./cases/constants.ts";
import * as conv from "./cases/conv.ts";
import * as elementwise from "./cases/elementwise.ts";
import * as matrix from "./cases/matrix.ts";
import * as movement from "./cases/movement.ts";
import * as normalization from "./cases/normalization.ts";
import * as pool from "./cases/pool.ts";
import * as reduce from "./cases/reduce.ts";

export type { Case } from "./cases/case.ts";

/** Small calls of every operator, chosen to be awkward; inputs lie off kinks and ties wherever the operator has a gradient. */
export const CASES: { readonly [K in OpName]: readonly Case[] } = {
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
};
