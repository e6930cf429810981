import type { CustomJudge } from "../../../src/kernel/policies/custom-policy.ts";

/** Denies payments above the option's amount, and counts what it has seen. */
export default function noPay({ max }: { readonly max: number }): CustomJudge {
  let seen = 0;
  return {
    before({ syscall, args }) {
      if (syscall !== "bank.pay" || Number(args.amount) <= max) return null;
      return {
        decision: "deny",
        rule: "too much",
        severity: "high",
        description: `${args.amount} after ${seen} calls`,
      };
    },
    settled() {
      seen++;
      return [];
    },
  };
}
