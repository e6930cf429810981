import type { LossSettings } from "./algorithm-options.ts";

export interface TokenTerm {
  value: number;
  /** By the log-probability. */
  slope: number;
  isClipped: boolean;
}

export interface Token {
  /** log π − log π_old of the token, or their mean over the episode. */
  readonly logRatio: number;
  readonly logProbability: number;
  readonly advantage: number;
}

/**
 * Loss of one token, written to `term`. With a sequence's ratio r in place of the token's, the slope is still right once it is summed over an
 * episode whose tokens weigh the same: ∂r/∂log π of each of n tokens is r/n, and r is in n terms.
 */
export function tokenLoss(term: TokenTerm, token: Token, settings: LossSettings): void {
  switch (settings.type) {
    case "clip":
      clippedSurrogate(term, token, settings);
      return;
    case "cispo":
      clippedImportance(term, token, settings);
      return;
    case "sapo":
      softGate(term, token, settings);
      return;
    default:
      settings.type satisfies never;
  }
}

/**
 * −min(r·A, clip(r, low, high)·A) (PPO, Schulman et al. 2017, equation 7; bounds of their own, DAPO, Yu et al. 2025). With a dual clip c it
 * is at most −c·A where A < 0 (Ye et al. 2020).
 */
function clippedSurrogate(term: TokenTerm, { logRatio, advantage }: Token, settings: LossSettings): void {
  const ratio = Math.exp(logRatio);
  const bound = bounded(ratio, settings);
  const { dualClip } = settings;
  const isPastDual = dualClip !== null && advantage < 0 && ratio > dualClip && -bound * advantage < -ratio * advantage;
  term.isClipped = bound * advantage < ratio * advantage || isPastDual;
  term.value = -(term.isClipped ? (isPastDual ? (dualClip as number) : bound) : ratio) * advantage;
  term.slope = term.isClipped ? 0 : -ratio * advantage;
}

/** −clip(r)·A·log π, the clipped ratio as a constant: every token moves the policy (CISPO, MiniMax-M1, 2025). */
function clippedImportance(
  term: TokenTerm,
  { logRatio, logProbability, advantage }: Token,
  settings: LossSettings,
): void {
  const ratio = Math.exp(logRatio);
  const bound = bounded(ratio, settings);
  term.isClipped = bound !== ratio;
  term.value = -bound * advantage * logProbability;
  term.slope = -bound * advantage;
}

/** −(4/τ)·σ(τ·(r − 1))·A, τ by the sign of A: clipping that fades in (SAPO, Gao et al. 2025). Nothing counts as clipped. */
function softGate(term: TokenTerm, { logRatio, advantage }: Token, settings: LossSettings): void {
  const ratio = Math.exp(logRatio);
  const temperature = advantage > 0 ? settings.sapoPositive : settings.sapoNegative;
  const gate = 1 / (1 + Math.exp(-temperature * (ratio - 1)));
  term.isClipped = false;
  term.value = (-4 / temperature) * gate * advantage;
  term.slope = -4 * gate * (1 - gate) * ratio * advantage;
}

function bounded(ratio: number, { bounds, clipLow, clipHigh }: LossSettings): number {
  return bounds === "offset"
    ? Math.min(Math.max(ratio, 1 - clipLow), 1 + clipHigh)
    : Math.min(Math.max(ratio, clipLow), clipHigh);
}
