/** The tokens of one episode: prompt, actions and observations in the order the policy model read or wrote them. */
export interface Trajectory {
  readonly tokens: Int32Array;
  /** 1 where the policy model chose the token, 0 where it was given. Same length as `tokens`. */
  readonly chosen: Uint8Array;
  /** Log-probability of each chosen token when it was chosen; 0 elsewhere. Same length as `tokens`. */
  readonly logProbabilities: Float32Array;
}

/** Of an episode in which the policy model said nothing. */
export const noTokens: Trajectory = {
  tokens: new Int32Array(),
  chosen: new Uint8Array(),
  logProbabilities: new Float32Array(),
};

/** Trajectories of many episodes laid end to end, to cross threads in one piece. */
export interface TrajectoryColumns {
  /** Where each trajectory starts in the columns, and where the last one ends: one more than there are episodes. */
  readonly offsets: Uint32Array;
  readonly tokens: Int32Array;
  readonly chosen: Uint8Array;
  readonly logProbabilities: Float32Array;
}

export function packTrajectories(trajectories: readonly Trajectory[]): TrajectoryColumns {
  const offsets = new Uint32Array(trajectories.length + 1);
  trajectories.forEach((trajectory, index) => {
    offsets[index + 1] = (offsets[index] as number) + trajectory.tokens.length;
  });
  const total = offsets[trajectories.length] as number;
  const tokens = new Int32Array(total);
  const chosen = new Uint8Array(total);
  const logProbabilities = new Float32Array(total);
  trajectories.forEach((trajectory, index) => {
    const offset = offsets[index] as number;
    tokens.set(trajectory.tokens, offset);
    chosen.set(trajectory.chosen, offset);
    logProbabilities.set(trajectory.logProbabilities, offset);
  });
  return { offsets, tokens, chosen, logProbabilities };
}

/** A view of one trajectory; nothing is copied. */
export function trajectoryAt(columns: TrajectoryColumns, index: number): Trajectory {
  const start = columns.offsets[index] as number;
  const end = columns.offsets[index + 1] as number;
  if (start === end) return noTokens;
  return {
    tokens: columns.tokens.subarray(start, end),
    chosen: columns.chosen.subarray(start, end),
    logProbabilities: columns.logProbabilities.subarray(start, end),
  };
}

/** How many tokens the policy model chose. */
export function chosenCount(trajectory: Trajectory): number {
  return trajectory.chosen.reduce((count, flag) => count + flag, 0);
}
