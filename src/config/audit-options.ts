import { z } from "zod";

/** How the audit log is signed. */
export const auditOptions = z.strictObject({
  key: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Ed25519 private key (PKCS#8 PEM) that signs the audit log; the user's own, made at first use, where it is absent",
    ),
  calls: z
    .enum(["each", "together"])
    .default("each")
    .describe(
      "Whether each syscall has its own records; together: those in a row that were permitted and completed at once, with nothing found, are one",
    ),
});
export type AuditOptions = z.output<typeof auditOptions>;
