import type { KernelSession } from "../src/kernel/kernel-session.ts";
import { episodeKey, shippedAgent, shippedKernel } from "./shipped-agent.ts";
import type { Amount, FillBench } from "./suite.ts";

const statements = 100;

const texts = {
  "SELECT of a row": "SELECT name, city FROM users WHERE id = 7",
  "SELECT with a join":
    "SELECT COUNT(*) FROM orders JOIN users ON users.id=orders.user_id WHERE city='Lisbon' AND status='paid'",
  "UPDATE of a row": "UPDATE orders SET status = 'paid' WHERE id = 5",
};

/** The same statements on a governed session, judged and recorded, and on one that nothing judges. */
export const statement: FillBench = async (bench, resources) => {
  const kernel = resources.use(await shippedKernel(await shippedAgent()));
  const governed = resources.use(kernel.open({ episode: episodeKey(0) }));
  const ungoverned = resources.use(kernel.open({ episode: episodeKey(1), governed: false }));
  const amounts: Record<string, Amount> = {};
  const add = (name: string, session: KernelSession, sql: string) => {
    amounts[name] = { count: statements, unit: "statement" };
    const afterEach = () => void kernel.recorder.seal();
    bench.add(name, () => repeat(session, sql), { async: false, afterEach });
  };
  for (const [name, sql] of Object.entries(texts)) {
    add(`${name}, governed`, governed, sql);
    add(`${name}, ungoverned`, ungoverned, sql);
  }
  return amounts;
};

function repeat(session: KernelSession, sql: string): void {
  for (let index = 0; index < statements; index++) {
    const result = session.execute({ syscall: "sql.query", args: { sql } });
    if (result instanceof Promise || result.outcome !== "completed") throw new Error(`${sql} did not complete`);
  }
}
