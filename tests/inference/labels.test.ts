import { describe, expect, test } from "vitest";
import { parseLabels } from "../../inference/labels.ts";

const EXPECTED = ["tench", "great white shark", "hen"];

describe("parseLabels", () => {
  test.each([
    ["a name a line", "tench\ngreat white shark\nhen"],
    ["with the line ends of another system, and empty ones at the end", "tench\r\n great white shark \r\nhen\r\n\n"],
    ["JSON's list", JSON.stringify(EXPECTED)],
    ["a map from numbers, in any order", '\n { "2": "hen", "0": "tench", "1": "great white shark" }'],
  ])("%s", (_, text) => expect(parseLabels(text, "l.txt")).toEqual(EXPECTED));

  test.each([
    ["nothing", "", "expected a name a line"],
    ["an empty name", "tench\n\nhen", "no empty name"],
    ["a number left out", '{"0": "tench", "2": "hen"}', 'found "{\\"0\\": \\"tench\\"'],
    ["a map to numbers", '{"tench": 0}', "expected a name a line"],
    ["no names", "[1, 2]", "expected a name a line"],
    ["cut short", '["tench"', "l.txt: expected JSON"],
  ])("%s is refused by the file's name", (_, text, message) => {
    expect(() => parseLabels(text, "l.txt")).toThrow(/^l\.txt: /);
    expect(() => parseLabels(text, "l.txt")).toThrow(message);
  });
});
