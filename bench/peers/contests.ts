import type { Contest, Contestant } from "./contest.ts";
import { decisions, faradayBench } from "./ours.ts";
import { nodeTurn, pythonTurn } from "./processes.ts";

const toolkit = "the Agent Governance Toolkit";

/** The same work by us and by what a user would pick instead, by name. */
export const contests: Readonly<Record<string, Contest>> = {
  echo: {
    workload: "echo, four spans and a reward an episode, stored",
    unit: "episode",
    ours: faradayBench("Faraday", {
      ...{ workload: "echo-spans", rate: "episodesPerSecond", governed: true },
    }),
    peers: [
      python(
        "Agent Lightning, runner and store in memory",
        "agentlightning_echo.py",
        "pip install agentlightning==0.3.0",
      ),
    ],
  },
  control: controlOf("CartPole, governed, recorded and stored", { governed: true, stored: true }),
  "control-ungoverned": controlOf("CartPole, ungoverned and not stored", { governed: false, stored: false }),
  decided: {
    workload: "a call of a tool judged by its arguments",
    unit: "decision",
    ours: decisions("Faraday", "the decision on a registered tool alone"),
    peers: [sdk("decided")],
  },
  recorded: {
    workload: "a call of a tool judged by its arguments, recorded and chained",
    unit: "decision",
    ours: decisions("Faraday", "a registered tool, permitted, chained"),
    peers: [
      sdk("recorded"),
      python(
        `${toolkit}, runner and kernel in Python`,
        "governance_runner.py",
        "pip install agentmesh-lightning agent-os-kernel",
      ),
    ],
  },
};

function controlOf(workload: string, how: { readonly governed: boolean; readonly stored: boolean }): Contest {
  return {
    workload,
    unit: "step",
    ours: faradayBench("Faraday", { workload: "control", rate: "stepsPerSecond", ...how }),
    peers: [
      python("Gymnasium", "gymnasium_control.py", "pip install gymnasium", "single"),
      python("Gymnasium, numpy vector of 64", "gymnasium_control.py", "pip install gymnasium", "vector"),
      python("EnvPool, 64 environments", "envpool_control.py", "pip install envpool"),
      python("PufferLib, 64 environments in two processes", "pufferlib_control.py", "pip install pufferlib"),
    ],
  };
}

function python(name: string, script: string, install: string, ...args: readonly string[]): Contestant {
  return { name, run: (seconds) => pythonTurn(script, [String(seconds), ...args], install) };
}

function sdk(kind: "decided" | "recorded"): Contestant {
  const install = "npm install @microsoft/agent-governance-sdk in a folder of its own";
  return {
    name: `${toolkit}, TypeScript`,
    run: (seconds) => nodeTurn("governance-sdk.mjs", [String(seconds), kind], install),
  };
}
