/** Codes of https://www.postgresql.org/docs/15/errcodes-appendix.html */
export const uniqueViolation = "23505";

/** Of two transactions that cannot both be, one is to be tried again: serialization_failure, deadlock_detected. */
export const passing: readonly unknown[] = ["40001", "40P01"];

export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
