import { describe, expect, it } from "vitest";
import { loadSqlEngine } from "../../src/kernel/drivers/sql/sql-engine.ts";
import { bootShop, episodeKey, query, rowsOf, supportGrants } from "./shop-kernel.ts";

describe("a module that gives up in the middle of a text", () => {
  it("fails that episode's texts and no other's", async () => {
    const kernel = await bootShop({ policy: { type: "sql", ...supportGrants } });
    const engine = await loadSqlEngine();
    const real = engine.exports;
    let armed = false;
    const step = (stmt: number) => {
      if (armed) throw Object.assign(new Error("unreachable"), { name: "RuntimeError" });
      return real.sqlite3_step(stmt);
    };
    Reflect.set(engine, "exports", { ...real, sqlite3_step: step });
    const session = kernel.open({ episode: episodeKey(0) });
    Reflect.set(engine, "exports", real);
    armed = true;
    expect(query(session, "SELECT name FROM users")).toMatchObject({ outcome: "failed", violations: [] });
    armed = false;
    expect(query(session, "SELECT name FROM users").error).toMatch(/connection was lost/);
    session.close();
    using next = kernel.open({ episode: episodeKey(1) });
    expect(rowsOf(next, "SELECT count(*) FROM users")).toEqual([[3]]);
  });
});
