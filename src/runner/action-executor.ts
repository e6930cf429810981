import type { PolicyViolation } from "./policy-violation.ts";

/** What came of one action. */
export interface ActionResult {
  readonly success: boolean;
  /** What the kernel returned; `null` without success. */
  readonly result: unknown;
  readonly error: string | null;
  readonly violations: readonly PolicyViolation[];
  /** Why the violations are in doubt; `null` where they are known. */
  readonly doubt: string | null;
  /** What the agent sees now, where whoever executes knows that. */
  readonly state?: unknown;
  /** Whether the task came to its end, or the kernel ended it. */
  readonly done: boolean;
  /** What the task earned with this action, where the executor's environment says that. */
  readonly reward?: number;
}

/** Executes the actions of a GovernedEnvironment, one after the other, on one kind of kernel. */
export interface ActionExecutor {
  /** @returns What the agent sees first, where the executor knows it. */
  reset(options: { readonly seed: number; readonly task: unknown; readonly resetKernel: boolean }): Promise<unknown>;
  /**
   * Never rejects.
   * @param options `last`: whether the episode ends with this action, whatever comes of it.
   */
  execute(action: unknown, options: { readonly last: boolean }): Promise<ActionResult>;
  close(): void;
}
