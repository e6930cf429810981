// Entropies of the distributions that tokens are chosen from.
import { logarithm } from "./softmax";

/** Probabilities up to here add nothing, and have a logarithm. */
const least: f32 = 1e-30;

/** −Σ p·log p of each row of probabilities [count × columns], as float64. */
export function entropies(probabilities: usize, found: usize, count: i32, columns: i32): void {
  for (let index = 0; index < count; index++) {
    const row = probabilities + (<usize>(index * columns) << 2);
    let sum: f64 = 0;
    for (let column = 0; column < columns; column++) {
      const p = load<f32>(row + (<usize>column << 2));
      if (p > least) sum -= <f64>(p * logOf(p));
    }
    store<f64>(found + (<usize>index << 3), sum);
  }
}

/**
 * `probabilitiesBack`, of a loss that is one of the entropies H too: ∂H/∂logit = −p·(log p + H)·factor.
 * @param entropySlopes [count] of the loss by each entropy
 */
export function probabilitiesAndEntropiesBack(
  probabilities: usize, targets: usize, slopes: usize, found: usize, entropySlopes: usize, count: i32, columns: i32, factor: f32,
): void {
  for (let index = 0; index < count; index++) {
    const row = probabilities + (<usize>(index * columns) << 2);
    const slope = load<f32>(slopes + (<usize>index << 2)) * factor;
    const ofEntropy = load<f32>(entropySlopes + (<usize>index << 2)) * factor;
    const entropy = <f32>load<f64>(found + (<usize>index << 3));
    for (let column = 0; column < columns; column++) {
      const at = row + (<usize>column << 2);
      const p = load<f32>(at);
      const back: f32 = p > least ? ofEntropy * p * (logOf(p) + entropy) : 0;
      store<f32>(at, -p * slope - back);
    }
    const at = row + (<usize>load<i32>(targets + (<usize>index << 2)) << 2);
    store<f32>(at, load<f32>(at) + slope);
  }
}

// @ts-ignore: decorator
@inline
function logOf(p: f32): f32 {
  return f32x4.extract_lane(logarithm(f32x4.splat(p)), 0);
}
