import { type Architecture, rotaryBase } from "./architecture.ts";

/** Cosines and sines of the rotary embedding's angles, [contextTokens × headWidth / 2] each. */
export function rotaryTables({ width, heads, contextTokens }: Architecture): {
  cosine: Float32Array;
  sine: Float32Array;
} {
  const pairs = width / heads / 2;
  const angle = (index: number) => Math.floor(index / pairs) * Math.fround(rotaryBase ** (-(index % pairs) / pairs));
  const table = (of: (angle: number) => number) =>
    Float32Array.from({ length: contextTokens * pairs }, (_, index) => of(Math.fround(angle(index))));
  return { cosine: table(Math.cos), sine: table(Math.sin) };
}
