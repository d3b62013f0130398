import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { OPS } from "../../models/ops/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"], { cwd: root, encoding: "utf8" });
const files = listed.split("\n").filter((file) => file && !/^(tests|bench|scripts|dist)\/|config\.ts$/.test(file));

interface Import {
  readonly from: string;
  /** A file of ours, from the root, or a package's name. */
  readonly to: string;
  readonly ours: boolean;
  /** It is gone when the code runs. */
  readonly typeOnly: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s)?"([^"]+)"/gm;
const DYNAMIC = /(?<!typeof )import\("([^"]+)"\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(`${root}/${file}`, "utf8");
  const found = [
    ...Array.from(text.matchAll(STATEMENT), ([, type, target]) => ({ target, typeOnly: type !== undefined })),
    ...Array.from(text.matchAll(DYNAMIC), ([, target]) => ({ target, typeOnly: false })),
  ];
  return found.map(({ target, typeOnly }) => {
    const ours = target.startsWith(".");
    return { from: file, to: ours ? posix.join(dirname(file), target) : target, ours, typeOnly };
  });
}

const imports = files.flatMap(importsOf);
const show = ({ from, to }: Import): string => `${from} → ${to}`;

/** What each folder may import, besides itself. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  core: [],
  pipeline: ["core"],
  models: ["core"],
  export: ["core", "models", "pipeline"],
  inference: ["core", "pipeline", "export"],
  training: ["core", "models", "pipeline", "export", "inference"],
  demo: ["core", "browser.ts"],
};

const isCommand = (file: string): boolean => /^[^/]+\/command\.ts$/.test(file);
/** They put platform parts together and may import anything. */
const isAssembly = (file: string): boolean => !file.includes("/") || isCommand(file);
const folderOf = (file: string): string => file.split("/")[0];

describe("the dependency law", () => {
  test("finds the project", () => {
    expect(files.length).toBeGreaterThan(80);
    expect(imports.filter(({ ours }) => ours).length).toBeGreaterThan(200);
  });

  test("core ← pipeline, models ← export ← inference ← training", () => {
    const broken = imports.filter(
      ({ from, to, ours }) => ours && !isAssembly(from) && folderOf(to) !== folderOf(from) && !LAW[folderOf(from)]?.includes(folderOf(to)),
    );
    expect(broken.map(show)).toEqual([]);
  });

  test("only cli.ts imports a command.ts, only demo/ imports browser.ts, and nothing the other entries", () => {
    const broken = imports.filter(
      ({ from, to }) =>
        (isCommand(to) && from !== "cli.ts") ||
        (to === "browser.ts" && folderOf(from) !== "demo") ||
        to === "index.ts" ||
        (to === "cli.ts" && from !== "infer.ts"),
    );
    expect(broken.map(show)).toEqual([]);
  });

  test("platforms stay in their files", () => {
    const rules: readonly (readonly [package_: RegExp, allowed: RegExp])[] = [
      [
        /^(node:|sharp$|onnxruntime-node|cli-progress|commander|env-paths)/,
        /\.node\.ts$|^(cli|infer)\.ts$|\/command\.ts$|^pipeline\/datasets\//,
      ],
      [/^onnxruntime-web/, /\.browser\.ts$/],
      [/^@jsquash\//, /^pipeline\/libjpeg\.ts$/],
      [/^onnx-proto/, /^export\/(serialize|parse)\.ts$/],
      [/^protobufjs/, /^training\/tensorboard\/event-record\.ts$/],
      [/^idb$/, /^demo\/page\//],
      [/^@tensorflow\//, /^training\/engines\/tfjs/],
    ];
    const broken = imports.filter(
      ({ from, to, ours, typeOnly }) => !ours && !typeOnly && rules.some(([name, allowed]) => name.test(to) && !allowed.test(from)),
    );
    expect(broken.map(show)).toEqual([]);
  });

  test("what a page imports reaches no Node built-in", () => {
    const reached = new Set(["browser.ts"]);
    for (const file of reached)
      for (const { to, ours, typeOnly } of imports.filter(({ from }) => from === file)) if (ours && !typeOnly) reached.add(to);
    const broken = imports.filter(
      ({ from, to, ours, typeOnly }) => reached.has(from) && !ours && !typeOnly && /^node:|sharp|-node$/.test(to),
    );
    expect(reached.size).toBeGreaterThan(50);
    expect(broken.map(show)).toEqual([]);
  });

  test("there are no cycles", () => {
    const next = new Map(files.map((file) => [file, imports.filter((i) => i.from === file && i.ours && !i.typeOnly).map(({ to }) => to)]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
      else if (!done.has(file)) for (const target of next.get(file) ?? []) walk(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) walk(file, []);
    expect(cycles).toEqual([]);
  });
});

describe("the code", () => {
  test("no file passes 250 lines", () => {
    const long = files
      .map((file) => [file, readFileSync(`${root}/${file}`, "utf8").split("\n").length] as const)
      .filter(([, n]) => n > 250);
    expect(long).toEqual([]);
  });

  test("every exported function has a docstring", () => {
    const bare = files.flatMap((file) => {
      const lines = readFileSync(`${root}/${file}`, "utf8").split("\n");
      return lines.flatMap((line, i) =>
        /^export (async )?function/.test(line) && !/\*\/\s*$/.test(lines[i - 1] ?? "") ? [`${file}: ${line}`] : [],
      );
    });
    expect(bare).toEqual([]);
  });

  test.each(Object.entries(OPS))("%s says what it computes", (_name, { summary }) => {
    expect(summary).toMatch(/\S.*\.$/);
  });

  test("no default exports", () => {
    const broken = files.filter((file) => /^export default/m.test(readFileSync(`${root}/${file}`, "utf8")));
    expect(broken).toEqual([]);
  });
});
