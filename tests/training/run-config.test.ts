import { expect, test } from "vitest";
import { DEFAULTS, fittedToData } from "../../training/run-config.ts";

test("no share for validation beside a split of the data's own", async () => {
  const of = async (data: string) => (await fittedToData({ ...DEFAULTS, model: "minivgg", data })).validation;
  expect([await of("miniplaces"), await of("cifar-10")]).toEqual([undefined, 0.2]);
});
