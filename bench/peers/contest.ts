import { type Quartiles, quartilesOf } from "../../src/report/quartiles.ts";

/** What one turn of a contestant comes to. */
export interface Turn {
  readonly perSecond: number;
  readonly version: string;
}

/** Somebody who does a workload. */
export interface Contestant {
  readonly name: string;
  readonly run: (secondsLeast: number) => Promise<Turn>;
}

/** The same work done by us and by others. */
export interface Contest {
  readonly workload: string;
  /** What is counted, e.g. `step`. */
  readonly unit: string;
  readonly ours: Contestant;
  readonly peers: readonly Contestant[];
}

/** A contestant that is not there, and how to have it. */
export class Missing extends Error {}

export interface Standing {
  readonly workload: string;
  readonly unit: string;
  readonly name: string;
  readonly version: string;
  readonly perSecond: Quartiles;
  /** Of our rate to this one, of the rounds' quotients: the median. `null` for ourselves, and where we have none. */
  readonly ratio: number | null;
  readonly runs: readonly number[];
}

export interface Result {
  readonly standings: readonly Standing[];
  /** By name, who is not there and how to have it. */
  readonly missing: Readonly<Record<string, string>>;
}

export interface ContestOptions {
  readonly rounds: number;
  /** Of one turn, at least; starting is not counted. */
  readonly seconds: number;
  readonly tell: (text: string) => void;
}

/** Everyone has a turn in every round, so that a slow spell of the machine falls on all. Who is missing is asked once. */
export async function holdContest(contest: Contest, { rounds, seconds, tell }: ContestOptions): Promise<Result> {
  const { workload, unit, ours, peers } = contest;
  const turns = new Map<Contestant, Turn[]>();
  const missing: Record<string, string> = {};
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of [ours, ...peers]) {
      if (missing[contestant.name] !== undefined) continue;
      tell(`${workload}, round ${round} of ${rounds}: ${contestant.name}`);
      const turn = await contestant.run(seconds).catch((error: unknown) => {
        if (!(error instanceof Missing)) throw error;
        missing[contestant.name] = error.message;
        tell(`skipped ${contestant.name}: ${error.message}`);
        return null;
      });
      if (turn !== null) turns.set(contestant, [...(turns.get(contestant) ?? []), turn]);
    }
  }
  const own = turns.get(ours);
  const standings = [...turns].map(([contestant, taken]) => {
    const runs = taken.map(({ perSecond }) => perSecond);
    const ratio = contestant === ours || own === undefined ? null : ratioOf(own, taken);
    const version = taken[0]?.version ?? "unknown";
    return { workload, unit, name: contestant.name, version, perSecond: quartilesOf(runs), ratio, runs };
  });
  return { standings, missing };
}

function ratioOf(ours: readonly Turn[], theirs: readonly Turn[]): number {
  return quartilesOf(theirs.map(({ perSecond }, round) => (ours[round]?.perSecond ?? 0) / perSecond)).median;
}
