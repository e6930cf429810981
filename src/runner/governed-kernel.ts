import { InputError } from "../core/errors.ts";
import { KernelSpace } from "../kernel/kernel-space.ts";
import type { ReportedViolation } from "./reported-violation.ts";

/** What an executing kernel is told besides the input. */
export interface ExecuteContext {
  /** Whatever the caller gave to `step`. */
  readonly resources: unknown;
  readonly mode: StepMode;
  readonly signal: AbortSignal;
  /** The agent that the runner was given, if any. */
  readonly agent: unknown;
  /** The kernel's word of what it mediated in this call; the runner compares it with the violations that it saw. */
  readonly attest: (counts: { readonly syscalls: number; readonly violations: number }) => void;
}

export const stepModes = ["train", "eval"] as const;
export type StepMode = (typeof stepModes)[number];

/** Takes one report, as an object or as (policyName, description, severity, blocked). Throws under `failOnViolation`. */
export type ViolationHandler = (
  reported: ReportedViolation,
  description?: string,
  severity?: string,
  blocked?: boolean,
) => void;
export type SignalHandler = (signal: string) => void;

/**
 * Any other kernel that executes what it is given and tells what it refused: at once, to the handlers that it takes, or later, when it
 * is asked for its recent violations. A handler must be called in the asynchronous context of the action that it tells of.
 */
export interface ExecutableKernel {
  executeAsync?(input: unknown, context: ExecuteContext): Promise<unknown>;
  execute?(input: unknown, context: ExecuteContext): unknown;
  /** May return a function that ends the registration. */
  onPolicyViolation?(handler: ViolationHandler): unknown;
  onSignal?(handler: SignalHandler): unknown;
  /** What was refused since it was last asked. */
  getRecentViolations?(): Iterable<ReportedViolation>;
  reset?(): unknown;
  readonly policies?: readonly unknown[];
}

export type GovernedKernel = KernelSpace | ExecutableKernel;

/**
 * @throws {InputError} for a kernel that cannot execute, since an ungoverned call is no substitute, and for one that has no way to
 * tell what it refused, since silence is not the absence of violations.
 */
export function requireKernel<Kernel extends GovernedKernel>(kernel: Kernel, name: string): Kernel {
  if (kernel instanceof KernelSpace) return kernel;
  const candidate: ExecutableKernel | null = typeof kernel === "object" ? kernel : null;
  if (typeof candidate?.executeAsync !== "function" && typeof candidate?.execute !== "function") {
    throw new InputError(
      `${name}: the kernel must be a KernelSpace or have executeAsync or execute; nothing runs without`,
    );
  }
  if (typeof candidate.onPolicyViolation !== "function" && typeof candidate.getRecentViolations !== "function") {
    throw new InputError(`${name}: the kernel must have onPolicyViolation or getRecentViolations, to tell violations`);
  }
  return kernel;
}

/** Names of the policies that a kernel has loaded. */
export function policyNames(kernel: GovernedKernel): string[] {
  return [...(kernel.policies ?? [])].map((policy) => {
    const name = typeof policy === "object" && policy !== null && "name" in policy ? policy.name : policy;
    return typeof name === "function" ? name.name : String(name);
  });
}
