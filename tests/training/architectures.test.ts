import { test } from "vitest";
import { ARCHITECTURE_NAMES } from "../models/small.ts";
import { checkArchitecture, SLOW_ARCHITECTURES } from "./architecture-checks.ts";

test.each(ARCHITECTURE_NAMES.filter((name) => !SLOW_ARCHITECTURES.includes(name)))(
  "%s: steps on one batch lower its loss, and its exported file answers as the engine does",
  checkArchitecture,
  300_000,
);
