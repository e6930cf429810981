import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Contest, type Contestant, holdContest, Missing } from "../../../bench/peers/contest.ts";
import { contests } from "../../../bench/peers/contests.ts";
import { nodeTurn, pythonTurn } from "../../../bench/peers/processes.ts";
import { renderStandings } from "../../../bench/peers/table.ts";

afterEach(() => vi.unstubAllEnvs());

const options = { rounds: 3, seconds: 2, tell: () => {} };

/** Gives these figures, one a turn, and notes its turns. */
function contestant(name: string, figures: readonly number[], turns: string[] = []): Contestant {
  let turn = 0;
  return {
    name,
    run: async (seconds) => {
      turns.push(`${name} ${seconds}`);
      return { perSecond: figures[turn++] ?? 0, version: "1.0" };
    },
  };
}

function contestOf(ours: Contestant, ...peers: readonly Contestant[]): Contest {
  return { workload: "echo", unit: "episode", ours, peers };
}

describe("a contest", () => {
  it("gives everyone a turn in every round, and the median of the rounds' ratios", async () => {
    const turns: string[] = [];
    const ours = contestant("Faraday", [100, 50, 1000], turns);
    const peer = contestant("Other", [10, 10, 10], turns);
    const { standings } = await holdContest(contestOf(ours, peer), options);
    expect(turns).toEqual(["Faraday 2", "Other 2", "Faraday 2", "Other 2", "Faraday 2", "Other 2"]);
    expect(standings).toMatchObject([
      { name: "Faraday", ratio: null, perSecond: { median: 100 }, runs: [100, 50, 1000] },
      { name: "Other", ratio: 10, perSecond: { median: 10 }, version: "1.0" },
    ]);
  });

  it("skips by name who is missing, says how to have it, and asks once", async () => {
    const run = vi.fn().mockRejectedValue(new Missing("not installed; pip install other"));
    const contest = contestOf(contestant("Faraday", [1, 1, 1]), { name: "Other", run });
    const result = await holdContest(contest, options);
    expect(result.missing).toEqual({ Other: "not installed; pip install other" });
    expect(result.standings.map(({ name }) => name)).toEqual(["Faraday"]);
    expect(run).toHaveBeenCalledTimes(1);
    const machine = { cpu: "Some CPU", cores: 2, memoryBytes: 2 ** 33, platform: "linux x64", node: "v26.0.0" };
    const text = renderStandings({ ...result, machine, load: 0.5, versions: {}, rounds: 3, seconds: 2 });
    expect(text).toContain("Some CPU, 2 cores, linux x64, Node v26.0.0, load 0.50 before\n");
    expect(text).toContain("  Faraday 1.0: 1 episodes/s (1–1)\n");
    expect(text).toContain("skipped Other: not installed; pip install other\n");
  });

  it("ends where a contestant fails", async () => {
    const broken = { name: "Other", run: () => Promise.reject(new Error("it broke")) };
    await expect(holdContest(contestOf(contestant("Faraday", [1]), broken), options)).rejects.toThrow("it broke");
  });
});

describe("a peer's process", () => {
  it("is missing where its program or its package is", async () => {
    vi.stubEnv("FARADAY_PEER_PYTHON", "/nowhere/python");
    vi.stubEnv("FARADAY_PEER_MODULES", "/nowhere");
    const expected = /^not installed; install it, and name that \w+ in FARADAY_PEER_\w+$/;
    for (const turn of [
      pythonTurn("gymnasium_control.py", ["1", "single"], "install it"),
      nodeTurn("governance-sdk.mjs", ["1", "decided"], "install it"),
    ]) {
      const error: unknown = await turn.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Missing);
      expect((error as Missing).message).toMatch(expected);
    }
  });

  it("that fails otherwise fails the contest, with its last words", async () => {
    vi.stubEnv("FARADAY_PEER_PYTHON", process.execPath);
    await expect(pythonTurn("gymnasium_control.py", [], "install it")).rejects.toThrow(
      /a peer ended with exit code 1: /,
    );
  });

  it.each(Object.keys(contests))("of %s is missing by name, not by accident", async (name) => {
    vi.stubEnv("FARADAY_PEER_PYTHON", "/nowhere/python");
    vi.stubEnv("FARADAY_PEER_MODULES", "/nowhere");
    for (const peer of contests[name]?.peers ?? []) await expect(peer.run(1)).rejects.toBeInstanceOf(Missing);
  });
});

it.each([
  [["tennis"], 'there is no contest "tennis"'],
  [["echo", "--rounds", "0"], '--rounds must be 1..100, got "0"'],
  [["echo", "--seconds", "soon"], '--seconds must be 0.1..600, got "soon"'],
])("npm run bench:peers -- %j is refused with exit code 2", (args, message) => {
  const entry = fileURLToPath(new URL("../../../bench/peers/index.ts", import.meta.url));
  const ran = spawnSync(process.execPath, ["--conditions=faraday-source", entry, ...args], { encoding: "utf8" });
  expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: "" });
  expect(ran.stderr).toContain(message);
});
