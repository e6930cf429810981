import type { KernelSession } from "../src/kernel/kernel-session.ts";
import { BareSqlite } from "./bare-sqlite.ts";
import { PackagedSqlite } from "./packaged-sqlite.ts";
import { episodeKey, shippedAgent, shippedKernel } from "./shipped-agent.ts";
import type { Amount, FillBench } from "./suite.ts";

const statements = 100;

const texts = {
  "SELECT of a row": "SELECT name, city FROM users WHERE id = 7",
  "SELECT with a join":
    "SELECT COUNT(*) FROM orders JOIN users ON users.id=orders.user_id WHERE city='Lisbon' AND status='paid'",
  "UPDATE of a row": "UPDATE orders SET status = 'paid' WHERE id = 5",
};

/**
 * The same statements on a governed session, judged and recorded, on one that nothing judges, and on SQLite alone: by the calls that our
 * driver makes, and by the API that its package has for programs. Every text is a new one:
 * a governed session keeps permitted statements compiled and the others do not, so that repeating a text would compare a compilation with
 * none. What keeping is worth is a group of its own.
 */
export const statement: FillBench = async (bench, resources) => {
  const kernel = resources.use(await shippedKernel(await shippedAgent()));
  const sessions = {
    governed: resources.use(kernel.open({ episode: episodeKey(0) })),
    ungoverned: resources.use(kernel.open({ episode: episodeKey(1), governed: false })),
  };
  const file = sessions.governed.trust?.pristine;
  if (file === undefined) throw new Error("the shipped kernel has no database");
  const bare = resources.use(await BareSqlite.open(file));
  const packaged = resources.use(await PackagedSqlite.open(file));
  const runs: Readonly<Record<string, (next: () => string) => void>> = {
    governed: (next) => execute(sessions.governed, next),
    ungoverned: (next) => execute(sessions.ungoverned, next),
    "bare SQLite WASM": (next) => {
      for (let index = 0; index < statements; index++) bare.query(next());
    },
    "bare SQLite WASM, its own API": (next) => {
      for (let index = 0; index < statements; index++) packaged.query(next());
    },
  };
  const amounts: Record<string, Amount> = {};
  const add = (name: string, next: () => string) => {
    for (const [kind, run] of Object.entries(runs)) {
      bench.add(`${name}, ${kind}`, () => run(next), { async: false, afterEach: () => void kernel.recorder.seal() });
      amounts[`${name}, ${kind}`] = { count: statements, unit: "statement" };
    }
  };
  let made = 0;
  for (const [name, sql] of Object.entries(texts)) add(name, () => `${sql} AND ${made++} >= 0`);
  add("SELECT of a row, text repeated", () => texts["SELECT of a row"]);
  return amounts;
};

function execute(session: KernelSession, next: () => string): void {
  for (let index = 0; index < statements; index++) {
    const sql = next();
    const result = session.execute({ syscall: "sql.query", args: { sql } });
    if (result instanceof Promise || result.outcome !== "completed") throw new Error(`${sql} did not complete`);
  }
}
