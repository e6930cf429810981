import { z } from "zod";

/** Names the LightningStore; a relative file lies in the run directory. */
export const storeUrl = z
  .string()
  .regex(/^(sqlite:(?!\/\/[^/]).+|postgres(ql)?:\/\/.+|https?:\/\/.+)$/, {
    error: "must be sqlite:<file>, postgres://… or http://…",
  })
  .default("sqlite:faraday.db")
  .describe(
    "Central store: sqlite:<file>, relative to the run directory, postgres://user:password@host/database, or http://host:port of a `faraday store serve`",
  );
