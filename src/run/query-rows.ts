import type { ResultSet } from "../core/sql.ts";
import type { KernelSpace } from "../kernel/kernel-space.ts";

/** Rows of a query as an agent reads them: through the kernel, under its policies. `null` for what fails or is denied. */
export async function queryRows(kernel: KernelSpace, sql: string): Promise<ResultSet["rows"] | null> {
  const key = { id: "material", phase: "train", iteration: 0, group: 0, index: 0, task: "material" } as const;
  const session = kernel.open({ episode: { ...key, split: "train", seed: 0, weights: 0 } });
  const { outcome, result } = await session.execute({ syscall: "sql.query", args: { sql } });
  session.close();
  kernel.recorder.seal();
  return outcome === "completed" ? (result as ResultSet).rows : null;
}
