import { globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const linesMax = 400;

/** Folders of src by level: each may import its own folder and those of lower levels. */
const levels: readonly (readonly string[])[] = [
  ["core"],
  ["kernel", "audit", "grpo"],
  ["runner", "oracle", "model", "pool", "store", "config", "telemetry"],
  ["run", "report", "export"],
  ["commands"],
];

/** Folders that never import each other, whatever their levels. */
const strangers = ["store", "pool", "model", "kernel"];

/**
 * Pairs on one level that may, from left to right: the config composes the options of others, a governed episode asks
 * the oracle, a run makes a report, telemetry sends the spans of the store.
 */
const neighbours = ["config → runner", "runner → oracle", "run → report", "telemetry → store"];

/** Where an outside package may be imported: anywhere, where it is not named. */
const owners: Readonly<Record<string, string>> = {
  piscina: "src/pool/",
  "p-queue": "src/run/",
  "@sqlite.org/sqlite-wasm": "src/kernel/",
  "node:sqlite": "src/store/sqlite/",
  "node:http": "src/store/http/",
  kysely: "src/store/sql/",
  pg: "src/store/postgres/",
  "pg-copy-streams": "src/store/postgres/",
  "hyparquet-writer": "src/export/",
  pino: "src/run/log.ts",
  yaml: "src/config/",
  "pure-rand": "src/core/random.ts",
  tinybench: "bench/",
};

const topLevel = [
  ...[".ci", ".git", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "bench", "biome.json", "docs", "envs"],
  ...[
    "faraday.schema.json",
    "package-lock.json",
    "package.json",
    "src",
    "test",
    "tsconfig.build.json",
    "tsconfig.json",
  ],
  ...["vitest.config.ts", "workers"],
];
/** What .gitignore keeps out. */
const passing = ["node_modules", "dist", "runs"];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Imported files relative to the root, and packages by name. */
  readonly imports: readonly string[];
}

const files = globSync("{src,workers,envs,bench,test,docs,.ci}/**/*.ts", { cwd: root }).map(read);
const shipped = files.filter(({ path }) => /^(src|workers|envs)\//.test(path));

describe("layers", () => {
  it("every folder of src has a level", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).filter((name) => levelOf(name) < 0)).toEqual([]);
  });

  it("a folder of src imports itself and those below alone", () => {
    expect(violations("src/", (from, to) => to.startsWith("src/") && !mayImport(folderOf(from), folderOf(to)))).toEqual(
      [],
    );
  });

  it("envs import the core and themselves alone", () => {
    expect(violations("envs/", (_, to) => to.includes("/") && !/^(src\/core|envs)\//.test(to) && isLocal(to))).toEqual(
      [],
    );
  });

  it("nobody in src imports workers, and only the config imports envs", () => {
    const reaches = (from: string, to: string) =>
      to.startsWith("workers/") ||
      to.startsWith("bench/") ||
      (to.startsWith("envs/") && !from.startsWith("src/config/"));
    expect(violations("src/", reaches)).toEqual([]);
  });

  it("an outside package is imported by its owner alone", () => {
    const strays = (from: string, to: string) =>
      Object.entries(owners).some(([name, owner]) => isPackage(to, name) && !from.startsWith(owner));
    expect(shipped.flatMap((file) => violationsOf(file, strays))).toEqual([]);
  });
});

describe("source files", () => {
  it(`have at most ${linesMax} lines`, () => {
    expect(files.filter(({ text }) => text.split("\n").length > linesMax + 1).map(({ path }) => path)).toEqual([]);
  });

  it.each([
    ["any", /(?:[:<,|&(]|\bas|\bextends|=>?)\s*any\b(?!["'`])/],
    ["suppressed type errors", /@ts-(?:ignore|nocheck|expect-error)/],
    ["export *", /^export \*/m],
    ["left work", /\b(?:TODO|FIXME|XXX)\b/],
  ])("have no %s", (name, pattern) => {
    const offenders = files.filter(
      ({ path, text }) =>
        path !== "test/tidy.test.ts" && pattern.test(name === "any" ? withoutProse(text) : withoutStrings(text)),
    );
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });

  it("are not named for what everything is", () => {
    expect(files.filter(({ path }) => /\/(?:types|utils|helpers|common|misc)\.ts$/.test(path))).toEqual([]);
  });
});

it("the top level holds what it is meant to hold", () => {
  const entries = readdirSync(root).filter((name) => !passing.includes(name) && !/\.(?:tgz|log)$/.test(name));
  expect(entries.filter((name) => !topLevel.includes(name))).toEqual([]);
});

function read(path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const specifiers = [
    ...text.matchAll(/(?:^(?:import|export)\b[^;"'`()]*?\bfrom\s+|^import\s+|\bimport\()["']([^"']+)["']/gm),
  ];
  const imports = specifiers.map(([, specifier = ""]) =>
    specifier.startsWith(".") ? relative(root, resolve(root, dirname(path), specifier)) : specifier,
  );
  return { path, text, imports };
}

function violations(prefix: string, forbidden: (from: string, to: string) => boolean): readonly string[] {
  return files.filter(({ path }) => path.startsWith(prefix)).flatMap((file) => violationsOf(file, forbidden));
}

function violationsOf({ path, imports }: SourceFile, forbidden: (from: string, to: string) => boolean) {
  return imports.filter((to) => forbidden(path, to)).map((to) => `${path} imports ${to}`);
}

/** `src/<folder>/…` gives the folder; files of src itself, the entries, are above all. */
function folderOf(path: string): string {
  const [, folder = "", rest] = path.split("/");
  return rest === undefined ? "" : folder;
}

function levelOf(folder: string): number {
  return folder === "" ? levels.length : levels.findIndex((level) => level.includes(folder));
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (strangers.includes(from) && strangers.includes(to)) return false;
  return levelOf(to) < levelOf(from) || from === "" || neighbours.includes(`${from} → ${to}`);
}

function isLocal(to: string): boolean {
  return /^(?:src|workers|envs|bench|test)\//.test(to);
}

function isPackage(to: string, name: string): boolean {
  return to === name || to.startsWith(`${name}/`);
}

/** Comments count, strings do not: a message may hold any word. */
function withoutStrings(text: string): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
}

/** Code alone: in words, `any` is no type. */
function withoutProse(text: string): string {
  return withoutStrings(text)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "")
    .replace(/`(?:[^`\\]|\\.)*`/g, "``");
}
