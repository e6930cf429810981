import type { ResultSet } from "../../core/sql.ts";
import { KernelSpace } from "../../kernel/kernel-space.ts";
import type { PolicySpec } from "../../kernel/policies/policy-spec.ts";

/** What a gold query came to under the policies of the config that is written. */
export type GoldAnswer = { readonly rows: number } | { readonly problem: string };

/** The imported database as an agent would meet it: in the kernel, under the read-only policies. */
export class GoldDatabase implements Disposable {
  readonly #kernel: KernelSpace;

  private constructor(kernel: KernelSpace) {
    this.#kernel = kernel;
  }

  /** @throws {InputError} where the file is no database and no SQL script that runs. */
  static async open(file: string, policies: readonly PolicySpec[]): Promise<GoldDatabase> {
    const kernel = new KernelSpace({ drivers: { sql: { database: file } }, policies });
    await kernel.boot();
    return new GoldDatabase(kernel);
  }

  /** Tables and their columns. */
  async schema(): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = await this.#query(
      "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type IN ('table', 'view') ORDER BY 1, c.cid",
    );
    const schema = new Map<string, string[]>();
    if ("problem" in found) return schema;
    for (const [table, column] of found.rows) {
      schema.set(String(table), [...(schema.get(String(table)) ?? []), String(column)]);
    }
    return schema;
  }

  async answer(sql: string): Promise<GoldAnswer> {
    const found = await this.#query(sql);
    if ("problem" in found) return found;
    return found.columns.length === 0 ? { problem: "returns no rows: not a query" } : { rows: found.rows.length };
  }

  [Symbol.dispose](): void {
    this.#kernel[Symbol.dispose]();
  }

  async #query(sql: string): Promise<ResultSet | { readonly problem: string }> {
    const key = { id: "import", phase: "train", iteration: 0, group: 0, index: 0, task: "import" } as const;
    const session = this.#kernel.open({ episode: { ...key, split: "train", seed: 0, weights: 0 } });
    const { outcome, violations, error, result } = await session.execute({ syscall: "sql.query", args: { sql } });
    session.close();
    this.#kernel.recorder.seal();
    if (outcome === "completed") return result as ResultSet;
    const [first] = violations;
    return { problem: first === undefined ? withoutNames(error ?? "fails") : `denied: ${first.rule}` };
  }
}

/** SQLite's message without what it names, so that equal reasons are counted together. */
function withoutNames(message: string): string {
  return message
    .replace(/^near .*?: /, "")
    .replace(/^(no such \w+|ambiguous column name|wrong number of arguments).*/s, "$1");
}
