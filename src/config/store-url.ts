import { z } from "zod";

/** Names the LightningStore; a relative file lies in the run directory. */
export const storeUrl = z
  .string()
  .regex(/^(sqlite:(?!\/\/[^/]).+|postgres(ql)?:\/\/.+)$/, { error: "must be sqlite:<file> or postgres://…" })
  .default("sqlite:faraday.db")
  .describe("Central store: sqlite:<file>, relative to the run directory, or postgres://user:password@host/database");
