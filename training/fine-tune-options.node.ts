import { type Command, Option } from "commander";
import { numberOption } from "../core/command-line.node.ts";
import { PRESETS } from "../pipeline/presets.ts";
import { parseFreeze } from "./train-options.ts";

/** The options of `train` for a network that has weights already. */
export const withFineTuneOptions = (command: Command): Command =>
  command
    .optionsGroup("Training further what has weights already:")
    .addOption(
      new Option(
        "--freeze <what>",
        "what stays as it is: backbone (only the head trains), none, or a number: so many layers below the head train too (default: none)",
      ).argParser(parseFreeze),
    )
    .addOption(
      new Option("--lr-backbone <rate>", "the learning rate of what trains below the head (default: --lr)").argParser(
        numberOption("--lr-backbone", { above: 0 }),
      ),
    )
    .option("--preset <name>", `the preprocessing, by name, in place of the data set's or the file's: ${Object.keys(PRESETS).join(", ")}`)
    .option("--features <name>", "of an ONNX file: the value that the new head reads (default: what its last layer reads, or its output)");
