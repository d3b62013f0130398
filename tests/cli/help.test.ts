import { describe, expect, test } from "vitest";
import { VERSION } from "../../export/version.ts";
import { fivecrop } from "./run.ts";

const COMMANDS = [
  "quickstart",
  "train",
  "recipes",
  "models",
  "datasets",
  "evaluate",
  "infer",
  "adopt",
  "verify",
  "report",
  "compare",
  "calibrate",
  "export",
  "inspect",
  "demo",
];

describe.concurrent("help", () => {
  test("without arguments it says what there is", async () => {
    const { code, stdout, stderr } = await fivecrop([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    expect(stdout).toContain("Examples:\n  $ fivecrop");
  });

  test.each(COMMANDS)("%s --help has its options and an example", async (command) => {
    const { code, stdout, stderr } = await fivecrop([command, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const part of [`Usage: fivecrop ${command}`, "--json", "--debug", `Examples:\n  $ fivecrop ${command}`])
      expect(stdout).toContain(part);
    expect(
      Math.max(
        ...stdout
          .split("\nExamples:")[0]
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80);
  });

  test("help COMMAND is the same", async () => {
    expect((await fivecrop(["help", "train"])).stdout).toBe((await fivecrop(["train", "--help"])).stdout);
  });

  test("the bin infer is fivecrop infer", async () => {
    expect(await fivecrop(["--help"], { bin: "infer.js" })).toEqual(await fivecrop(["infer", "--help"]));
  });

  test("--version", async () => {
    expect(await fivecrop(["--version"])).toEqual({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
  });
});
