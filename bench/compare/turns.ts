import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { FaradayError, messageOf } from "../../src/core/errors.ts";
import type { Checkout } from "./checkouts.ts";
import type { Samples } from "./difference.ts";
import { type BenchRow, parseBenchDocument, rowName } from "./rows.ts";

const outputBytesMax = 64 * 1024 * 1024;

export interface TurnOptions {
  readonly rounds: number;
  /** Arguments of `faraday bench`. */
  readonly args: readonly string[];
  /** What goes on, in a line. */
  readonly tell: (text: string) => void;
}

export interface Turns {
  readonly machine: unknown;
  /** Episodes a second by what a row is of, a figure a round. A row that one commit lacks has none of it. */
  readonly rows: ReadonlyMap<string, Samples>;
}

/** Runs `faraday bench` of two commits in turns: each round both, the order changing, so that a slow spell falls on both. */
export async function takeTurns(
  [base, head]: readonly [Checkout, Checkout],
  { rounds, args, tell }: TurnOptions,
): Promise<Turns> {
  const figures = { base: new Map<string, number[]>(), head: new Map<string, number[]>() };
  let machine: unknown;
  for (let round = 1; round <= rounds; round++) {
    const order = round % 2 === 1 ? (["base", "head"] as const) : (["head", "base"] as const);
    for (const side of order) {
      const checkout = side === "base" ? base : head;
      tell(`round ${round} of ${rounds}: ${checkout.name}`);
      const document = await benchOf(checkout, args);
      machine ??= document.machine;
      for (const row of document.rows) keep(figures[side], row);
    }
  }
  const names = [...new Set([...figures.base.keys(), ...figures.head.keys()])];
  const samples = (name: string) => ({ base: figures.base.get(name) ?? [], head: figures.head.get(name) ?? [] });
  return { machine, rows: new Map(names.map((name) => [name, samples(name)])) };
}

function keep(figures: Map<string, number[]>, row: BenchRow): void {
  const name = rowName(row);
  figures.set(name, [...(figures.get(name) ?? []), row.episodesPerSecond]);
}

async function benchOf({ name, folder }: Checkout, args: readonly string[]) {
  const node = join(folder, "node_modules", ".bin", "node");
  const line = ["--conditions=faraday-source", "src/cli.ts", "bench", "--json", ...args];
  const ran = await promisify(execFile)(node, line, { cwd: folder, maxBuffer: outputBytesMax }).catch((error) => {
    const said = String((error as { readonly stderr?: unknown }).stderr ?? "").trim();
    throw new FaradayError(`faraday bench of ${name} failed: ${said || messageOf(error)}`);
  });
  return parseBenchDocument(ran.stdout);
}
