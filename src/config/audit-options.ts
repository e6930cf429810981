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
});
export type AuditOptions = z.output<typeof auditOptions>;
