import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { writeWhole } from "../core/atomic-file.node.ts";
import { createCommand, numberOption, PROGRAM, print, repeated } from "../core/command-line.node.ts";
import { FivecropError, messageOf, namingFile, UsageError } from "../core/errors.ts";
import { makeDirectoryFor } from "../core/make-directory.node.ts";
import { readModel } from "../core/read-file.node.ts";
import { type Site, serveSite } from "../core/site-server.node.ts";
import { plural } from "../core/text.ts";
import { readMetadata } from "../export/metadata.ts";
import { BACKBONES, STANDARD_BACKBONE } from "../models/backbones.ts";
import { readBackbone } from "../models/pretrained.node.ts";
import { createSite, isBuilt, type SiteModel } from "./site.node.ts";

const PRETRAINED = fileURLToPath(new URL("../models/pretrained/", import.meta.url));
const QUICKSTART = "runs/quickstart/model.onnx";

interface DemoOptions {
  readonly port: number;
  readonly model?: readonly string[];
  readonly build?: string;
  readonly json?: true;
}

/** `demo`: the page. */
export function demoCommand(): Command {
  return createCommand(
    "demo",
    "Serve the browser page that classifies pictures, or write it as static files. Nothing that is opened there leaves the browser.",
    [
      "fivecrop demo",
      "fivecrop demo --model runs/fashion/model.onnx --port 8080",
      "fivecrop demo --model runs/fashion/model.onnx --build site",
    ],
  )
    .option("--model <file>", `an ONNX classifier to offer first; may be repeated (default: ${QUICKSTART} where it is)`, repeated)
    .option(
      "--port <n>",
      "where to listen on this machine; 0 takes any free port",
      numberOption("--port", { whole: true, from: 0, below: 65536 }),
      8080,
    )
    .option("--build <dir>", "write the page's files into this folder instead")
    .action(demo);
}

async function demo({ port, model: given, build, json }: DemoOptions): Promise<void> {
  if (!isBuilt()) throw new FivecropError("the page is not built. To fix: npm run build.");
  const backbone = BACKBONES[STANDARD_BACKBONE];
  const noClassifiers: readonly string[] = Object.values(BACKBONES).map(({ file }) => file);
  const shipped = (await readdir(PRETRAINED)).filter((file) => file.endsWith(".onnx") && !noClassifiers.includes(file)).sort();
  const files = [...(given ?? (existsSync(QUICKSTART) ? [QUICKSTART] : [])), ...shipped.map((file) => join(PRETRAINED, file))];
  const models = await Promise.all([...new Set(files)].map(toSiteModel));
  const site = await createSite(models, { name: STANDARD_BACKBONE, fileName: backbone.file, bytes: await readBackbone(backbone) });
  const offered = models.length === 0 ? "no model: one can be opened in the page" : models.map(({ name }) => name).join(", ");
  if (build !== undefined) {
    await writeSite(site, build);
    if (json) print(JSON.stringify({ folder: resolve(build), files: site.size, models: models.map(({ name }) => name) }));
    else for (const line of [`${build}: ${plural(site.size, "file")}; ${offered}`, ...HOSTING]) print(line);
    return;
  }
  const { url } = await serve(site, port);
  if (json) print(JSON.stringify({ url, models: models.map(({ name }) => name) }));
  else for (const line of [`${url}`, `  ${offered}`, "  Ctrl-C stops it."]) print(line);
}

const HOSTING = [
  "Any static host serves them, over HTTPS or on localhost. For threads it must send the headers",
  "  Cross-Origin-Opener-Policy: same-origin",
  "  Cross-Origin-Embedder-Policy: require-corp",
];

/** Writes a site's files into a folder. */
async function writeSite(site: Site, folder: string): Promise<void> {
  for (const [path, content] of site) {
    const file = join(folder, path);
    await makeDirectoryFor(dirname(file), "--build");
    await writeWhole(file, content);
  }
}

async function serve(site: Parameters<typeof serveSite>[0], port: number): ReturnType<typeof serveSite> {
  try {
    return await serveSite(site, port);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === "EADDRINUSE" ? "it is in use" : messageOf(cause);
    throw new FivecropError(`cannot listen on port ${port}: ${reason}. To fix: --port 0 takes a free one.`, { cause });
  }
}

/** A model for the page, which must say its labels and preprocessing itself. */
async function toSiteModel(file: string): Promise<SiteModel> {
  const bytes = await readModel(file);
  const metadata = namingFile(file, () => readMetadata(bytes));
  if (!metadata)
    throw new UsageError(
      `--model: ${file} carries no fivecrop metadata, from which the page learns labels and preprocessing. To fix: give it some by ${PROGRAM} adopt, or open it in the page, which asks for them.`,
    );
  const { architecture, training } = metadata;
  const words = [architecture, training?.dataset && `trained on ${training.dataset}`].filter(Boolean);
  const fileName = basename(file);
  return { name: words.length > 0 ? words.join(", ") : fileName.replace(/\.onnx$/, ""), fileName, bytes };
}
