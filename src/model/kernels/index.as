// The arithmetic of a transformer, forward and back, in AssemblyScript: compiled to kernels.wasm by `npm run kernels`.
// Pointers are bytes, sizes are numbers of float32.
export { multiply, multiplyTransposed, transpose } from "./matrices";
export { cutBack, forget, keep, normalise, normaliseBack, scatterAdd, takeRows } from "./rows";
export { attend, attendWithin, attendWithinBack, turn } from "./attention";
export { draw, mostProbable, probabilities, probabilitiesBack } from "./softmax";
export { entropies, probabilitiesAndEntropiesBack } from "./entropy";
export { mix, mixBack } from "./copying";
