import { test } from "vitest";
import { checkArchitecture, SLOW_ARCHITECTURES } from "../training/architecture-checks.ts";

test.each(SLOW_ARCHITECTURES)("%s: steps on one batch lower its loss, and its exported file answers as the engine does", checkArchitecture);
