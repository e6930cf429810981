import { z } from "zod";
import { defineAgent } from "../../src/core/agent.ts";

const scriptedAgentOptions = z.strictObject({
  violatesEvery: z.int().min(0).max(1_000_000).default(8).describe("One episode in so many deletes; 0: none does"),
});

/**
 * Reads the order that the request names and marks it as shipped, in two statements. One episode in `violatesEvery` deletes it instead, which the
 * shipped policies deny.
 */
export default defineAgent<z.output<typeof scriptedAgentOptions>>({
  name: "sql-script",
  options: scriptedAgentOptions,
  load:
    ({ violatesEvery }) =>
    ({ prompt }, { seed }) => {
      const id = /\d+/.exec(prompt)?.[0] ?? "1";
      const violates = violatesEvery > 0 && seed % violatesEvery === 0;
      const statements = [
        `SELECT status,total FROM orders WHERE id=${id}`,
        violates ? `DELETE FROM orders WHERE id=${id}` : `UPDATE orders SET status='shipped' WHERE id=${id}`,
      ];
      return {
        act(_, { step }) {
          const sql = statements[step];
          return sql === undefined ? null : { syscall: "sql.query", args: { sql } };
        },
      };
    },
});
