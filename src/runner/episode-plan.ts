import type { Environment, Task } from "../core/env.ts";
import type { EpisodeKey } from "../core/episode.ts";
import type { SyscallResult } from "../core/syscall.ts";
import type { PolicyReward } from "./policy-reward.ts";

export interface EpisodePlan<T extends Task = Task> {
  readonly environment: Environment<T>;
  readonly task: T;
  readonly key: EpisodeKey;
  readonly reward: PolicyReward;
  /** `false` measures the same episode without the kernel's judgement. Default `true`. */
  readonly governed?: boolean;
  /** `false` leaves it out of the flight recorder, to measure what that costs. Default `true`. */
  readonly recorded?: boolean;
  /** Whether the record holds every step. Default `true`; whoever wants figures alone saves their memory. */
  readonly keepSteps?: boolean;
  /** Whether the independent oracle looks at the world as well. Default `false`. */
  readonly oracle?: boolean;
  /** Told the name of every syscall before it is judged and performed. */
  readonly onSyscall?: (name: string) => void;
  /** Told of every answer. A PolicyViolationError that it throws ends the episode as stopped. */
  readonly onResult?: (result: SyscallResult) => void;
}
