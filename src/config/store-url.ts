import { z } from "zod";

/** Names the LightningStore; a relative file lies in the run directory. */
export const storeUrl = z
  .string()
  .regex(/^sqlite:(?!\/\/[^/]).+$/, { error: "must be sqlite:<file>" })
  .default("sqlite:faraday.db")
  .describe("Central store: sqlite:<file>, relative to the run directory");
