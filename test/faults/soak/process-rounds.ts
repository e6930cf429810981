import { join } from "node:path";
import type { Random } from "../../../src/core/random.ts";
import { chatterModule, freshFolder } from "../../run/chatter.ts";
import { ServedPlace } from "../../store/http/served-place.ts";
import { canStart, PostgresServer } from "../postgres-server.ts";
import { type Running, smallConfig, start, untilEvents, weightsOf } from "../small-run.ts";
import type { Round } from "./round.ts";
import type { Tally } from "./tally.ts";

/** Lines of events that an undisturbed run writes, at least. */
const lineCount = 6;
const waitMsMax = 60;
/** What the shipped SQL agent trains of, in small. */
const sqlTrain = ["iterations=3", "groupsPerBatch=2", "groupSize=4", "evalEpisodes=4", "checkpointEvery=1"];
const sqlArgs = ["--workers", "2", ...sqlTrain.flatMap((value) => ["--set", `train.${value}`])];

interface Attacked extends Running {
  readonly out: string;
}

/** Does something to a process that trains, and answers whether the process has ended of it. */
type Attack = (attacked: Attacked, tally: Tally, random: Random) => Promise<boolean>;

/** Processes that are killed, or whose store goes away; each must end with the weights of one that nothing happened to. */
export async function processRounds(resources: AsyncDisposableStack): Promise<readonly Round[]> {
  const chatter = smallConfig({ workers: 2 });
  const often = smallConfig({
    ...{ workers: 2, env: { module: chatterModule, fault: "exit-often" } },
    retries: { died: 50, taskFaults: 1000 },
  });
  const ofChatter = await undisturbed([chatter]);
  const ofSql = await undisturbed(sqlArgs);
  const served = resources.use(new ServedPlace());
  const http = smallConfig({ workers: 2, store: await served.start() });
  return [
    roundOf("SIGKILL", { args: [chatter], whole: ofChatter, attack: kill("SIGKILL") }),
    roundOf("SIGKILL, SQL agent", { args: sqlArgs, whole: ofSql, attack: kill("SIGKILL") }),
    roundOf("SIGKILL, workers that exit", { args: [often], whole: ofChatter, attack: kill("SIGKILL") }),
    roundOf("SIGTERM", { args: [chatter], whole: ofChatter, attack: kill("SIGTERM") }),
    roundOf("store server restarted", { args: [http], whole: ofChatter, attack: restart(served) }),
    ...(canStart ? [await postgresRound(resources, ofChatter)] : []),
  ];
}

async function postgresRound(resources: AsyncDisposableStack, whole: Buffer): Promise<Round> {
  const server = resources.use(new PostgresServer());
  const url = await server.start();
  let count = 0;
  return {
    name: "PostgreSQL restarted",
    run: async (tally, random) => {
      const config = smallConfig({ workers: 2, store: `${url}?schema=soak_${count++}` });
      const how = random.below(2) === 0 ? "fast" : "immediate";
      const attack = restart({ start: () => server.start(), stop: () => server.stop(how) });
      await roundOf(`PostgreSQL restarted`, { args: [config], whole, attack }).run(tally, random);
    },
  };
}

interface Attackable {
  /** Of `faraday train`, its `--out` aside. */
  readonly args: readonly string[];
  readonly whole: Buffer;
  readonly attack: Attack;
}

function roundOf(name: string, { args, whole, attack }: Attackable): Round {
  return {
    name,
    run: async (tally, random) => {
      const out = newRunDirectory();
      tally.trainings++;
      const running = start(["train", ...args, "--out", out]);
      await untilEvents(out, 1 + random.below(lineCount), running);
      await new Promise((resolve) => setTimeout(resolve, random.below(waitMsMax)));
      const isUnderWay = running.child.exitCode === null;
      if (isUnderWay) tally.injected(name);
      const isEnded = isUnderWay && (await attack({ ...running, out }, tally, random));
      const { exitCode, stderr } = await running.ended;
      tally.expect(exitCode === 0 || isEnded, `train ended with ${exitCode}: ${stderr}`);
      await resumed(out, tally);
      tally.compare(weightsOf(out), whole);
      await expectDone(["audit", "verify", out], tally);
    },
  };
}

/** A run that has ended well says so again. */
async function resumed(out: string, tally: Tally): Promise<void> {
  tally.resumes++;
  const report = await expectDone(["train", "--resume", out, "--json"], tally);
  if (report !== null) tally.episodes += JSON.parse(report).episodes;
}

function kill(signal: "SIGKILL" | "SIGTERM"): Attack {
  return async ({ child, ended, out }, tally, random) => {
    child.kill(signal);
    await ended;
    if (random.below(2) === 0) return true;
    // And once more as it goes on.
    tally.resumes++;
    tally.injected(`${signal} of a resumed run`);
    const again = start(["train", "--resume", out]);
    await new Promise((resolve) => setTimeout(resolve, random.below(1500)));
    again.child.kill(signal);
    await again.ended;
    return true;
  };
}

function restart(server: { start(): Promise<unknown>; stop(): Promise<void> }): Attack {
  return async (_attacked, _tally, random) => {
    await server.stop();
    await new Promise((resolve) => setTimeout(resolve, random.below(1000)));
    await server.start();
    return false;
  };
}

/** The weights of a run that nothing happens to. */
async function undisturbed(args: readonly string[]): Promise<Buffer> {
  const out = newRunDirectory();
  const { exitCode, stderr } = await start(["train", ...args, "--out", out]).ended;
  if (exitCode !== 0) throw new Error(`an undisturbed run ended with ${exitCode}: ${stderr}`);
  return weightsOf(out);
}

let runCount = 0;

/** In one store, every run has a name of its own. */
function newRunDirectory(): string {
  return join(freshFolder(), `run-${runCount++}`);
}

async function expectDone(args: readonly string[], tally: Tally): Promise<string | null> {
  const { exitCode, stdout, stderr } = await start(args).ended;
  tally.expect(exitCode === 0, `faraday ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
  return exitCode === 0 ? stdout : null;
}
