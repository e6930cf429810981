import type { Agent } from "../src/core/agent.ts";
import { AgentOSRunner } from "../src/runner/agent-os-runner.ts";
import { PolicyReward } from "../src/runner/policy-reward.ts";
import { episodeKey, shippedAgent, shippedKernel } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

/** One episode of a scripted agent with two statements, from the first observation to the score. */
export const episode: FillBench = async (bench, resources) => {
  const agent = await shippedAgent();
  const kernel = resources.use(await shippedKernel(agent));
  const [task] = agent.environment.tasks;
  if (task?.demo === undefined) throw new Error("the shipped environment's first task has no demonstration");
  const script = scripted(["UPDATE orders SET status = 'paid' WHERE id = 5", ...task.demo]);
  const runner = new AgentOSRunner(kernel, agent.config.runner);
  const reward = new PolicyReward(kernel, agent.config.reward);
  const kinds = {
    ungoverned: { governed: false },
    governed: { governed: true },
    "governed, the oracle looking on": { governed: true, oracle: true },
  };
  let index = 0;
  for (const [name, kind] of Object.entries(kinds)) {
    const plan = { environment: agent.environment, task, reward, ...kind };
    const run = async () => {
      const record = await runner.run(script, { ...plan, key: episodeKey(index++, task.id) });
      if (record.outcome !== "completed" || record.stepCount !== 2) throw new Error(`${name}: ${record.outcome}`);
    };
    bench.add(name, run, { async: true, afterEach: () => void kernel.recorder.seal() });
  }
  return Object.fromEntries(Object.keys(kinds).map((name) => [name, { count: 1, unit: "episode" }]));
};

function scripted(texts: readonly string[]): Agent {
  return {
    act: (_, { step }) => {
      const sql = texts[step];
      return sql === undefined ? null : { syscall: "sql.query", args: { sql } };
    },
  };
}
