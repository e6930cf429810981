import type { EscalationRequest } from "../../../src/kernel/resolver.ts";

/** Allows what is below a hundred. */
export default function resolve({ args }: EscalationRequest): "allow" | "deny" {
  return Number(args.amount) < 100 ? "allow" : "deny";
}
