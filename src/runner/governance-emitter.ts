import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";

export type EmittedAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Where annotations of rollouts and rewards go, such as a tracer. Each part is optional; without one, nothing is emitted. */
export interface GovernanceEmitter {
  emitAnnotation?(name: string, attributes: EmittedAttributes): unknown;
  emitReward?(reward: EmittedReward, attributes: EmittedAttributes): unknown;
}

export interface EmittedReward {
  readonly final: number;
  readonly base: number;
  /** ≤ 0. */
  readonly policy_penalty: number;
}

/** Emits; what an emitter throws, now or later, is logged and stays here. */
export function emitSafely(emit: () => unknown, logger: Logger): void {
  const failed = (error: unknown) =>
    logger.error("a governance annotation could not be emitted", { error: messageOf(error) });
  try {
    const emitted = emit();
    if (emitted instanceof Promise) emitted.catch(failed);
  } catch (error) {
    failed(error);
  }
}
