import type { Command } from "commander";
import { createCommand, PROGRAM, print } from "../core/command-line.node.ts";
import { lookUp } from "../core/nearest.ts";
import { percent, table } from "../core/text.ts";
import { RECIPES } from "./recipes/index.ts";
import type { Expectation, Recipe } from "./recipes/recipe.ts";

/** `recipes`: the experiments that `train --recipe` knows. */
export function recipesCommand(): Command {
  return createCommand("recipes", "List the experiments, or show one: its options, what is expected of it, and why.", [
    "fivecrop recipes",
    "fivecrop recipes fashion-cnn",
    "fivecrop train --recipe fashion-cnn --epochs 2",
  ])
    .argument("[name]", "a recipe's name")
    .action((name: string | undefined, { json = false }: { json?: boolean }) => {
      const shown = name === undefined ? Object.entries<Recipe>(RECIPES) : [[name, lookUp<Recipe>("recipe", RECIPES, name)] as const];
      if (json) for (const [each, recipe] of shown) print(JSON.stringify({ name: each, ...recipe }));
      else for (const line of name === undefined ? listing(shown) : details(name, shown[0][1])) print(line);
    });
}

/** "training accuracy 95.65 %, top-1 91.83 %" */
export const expectationText = (expected: readonly Expectation[]): string =>
  expected.map(({ metric, share }) => `${metric} ${shareText(share)}`).join(", ") || "curves only";

const shareText = (share: Expectation["share"]): string =>
  typeof share === "number" ? percent(share) : `${share.map((each) => Number((100 * each).toFixed(2))).join(" to ")} %`;

const listing = (recipes: readonly (readonly [string, Recipe])[]): string[] => [
  ...recipes.flatMap(([name, { summary, expected }]) => [name, `  ${summary}`, `  expected: ${expectationText(expected)}`]),
  "",
  `${PROGRAM} recipes NAME shows one, ${PROGRAM} train --recipe NAME runs it; any other option of train overrides the recipe's. Another --optimizer leaves out its momentum, betas, epsilon and weight decay, another --model its head.`,
];

const details = (name: string, { summary, options, expected, source }: Recipe): string[] => [
  `${name}: ${summary}`,
  ...table(
    Object.entries(options).map(([option, value]) => [option, typeof value === "string" ? value : JSON.stringify(value)]),
    { align: "l", indent: 2 },
  ),
  `Expected: ${expectationText(expected)}`,
  `Source: ${source}`,
  "",
  `To run it: ${PROGRAM} train --recipe ${name}`,
];
