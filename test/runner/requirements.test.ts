import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const requirementsCount = 148;

/** "1, 16–18: …" shows requirements 1, 16, 17 and 18. */
const shown = /\b(?:it|test)(?:\.each(?:<[^>]*>+)?\([\s\S]*?\n?\s*\])?\)?\(\s*["'`](?<numbers>\d[\d, –-]*):/g;

function numbersIn(text: string): number[] {
  return [...text.matchAll(shown)].flatMap(({ groups }) => (groups?.numbers ?? "").split(",").flatMap(rangeOf));
}

function rangeOf(part: string): number[] {
  const [first = 0, last = first] = part.split(/[–-]/).map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const sources = globSync("src/**/*.ts", { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), "utf8"),
}));

describe("every governance requirement", () => {
  it("is shown by a test that names its number", () => {
    const texts = globSync("test/**/*.test.ts", { cwd: root }).map((path) => readFileSync(join(root, path), "utf8"));
    const numbers = new Set(texts.flatMap(numbersIn));
    const all = Array.from({ length: requirementsCount }, (_, index) => index + 1);
    expect(all.filter((number) => !numbers.has(number))).toEqual([]);
    expect([...numbers].filter((number) => number < 1 || number > requirementsCount)).toEqual([]);
  });

  it("is in docs/governance.md, in a row of its own numbers", () => {
    const docs = readFileSync(join(root, "docs/governance.md"), "utf8");
    const rows = [...docs.matchAll(/^\| (?<numbers>\d[\d, –]*) \|/gm)];
    const numbers = rows.flatMap(({ groups }) => (groups?.numbers ?? "").split(",").flatMap(rangeOf));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: requirementsCount }, (_, index) => index + 1),
    );
  });

  it("is looked for in files that exist", () => {
    const docs = readFileSync(join(root, "docs/governance.md"), "utf8");
    const paths = [...docs.matchAll(/`(?<path>(?:src|test|docs)\/[\w/.-]+)`/g)].map(({ groups }) => groups?.path ?? "");
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([]);
  });
});

describe("network exposure", () => {
  it("147, 148: nothing in src listens but the store's server, whose rules its own tests show", () => {
    const listening = /createServer|\.listen\(|access-control-/i;
    // SignalReceiver.listen waits on shared memory; StoreServer.listen is the server's own.
    const texts = sources.map(({ path, text }) => ({
      path,
      text: text.replaceAll(/#signals\.listen\(\)|StoreServer\.listen\(/g, ""),
    }));
    const found = texts.filter(({ text }) => listening.test(text)).map(({ path }) => dirname(path));
    expect(new Set(found)).toEqual(new Set(["src/store/http"]));
  });
});
