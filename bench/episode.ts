import type { Agent } from "../src/core/agent.ts";
import { AgentOSRunner } from "../src/runner/agent-os-runner.ts";
import { PolicyReward } from "../src/runner/policy-reward.ts";
import { episodeKey, shippedAgent, shippedKernel } from "./shipped-agent.ts";
import type { FillBench } from "./suite.ts";

/**
 * One episode of a scripted agent that looks and then updates rightly, from the first observation to the score. Its texts are new in
 * every episode; its task is the same, so that the gold answer is rehearsed already.
 */
export const episode: FillBench = async (bench, resources) => {
  const agent = await shippedAgent();
  const kernel = resources.use(await shippedKernel(agent));
  const task = agent.environment.tasks.find(({ id, demo }) => id.startsWith("updates-") && demo?.length === 1);
  const update = task?.demo?.[0];
  if (task === undefined || update === undefined) throw new Error("the shipped environment has no update to script");
  const runner = new AgentOSRunner(kernel, agent.config.runner);
  const reward = new PolicyReward(kernel, agent.config.reward);
  const kinds = {
    ungoverned: { governed: false },
    governed: { governed: true },
    "governed, the oracle looking on": { governed: true, oracle: true },
  };
  let made = 0;
  for (const [name, kind] of Object.entries(kinds)) {
    const plan = { environment: agent.environment, task, reward, ...kind };
    const run = async () => {
      const index = made++;
      const script = scripted(
        ["SELECT COUNT(*) FROM users WHERE id > 0", update].map((sql) => `${sql} AND ${index} >= 0`),
      );
      const { success, stepCount } = await runner.run(script, { ...plan, key: episodeKey(index, task.id) });
      if (!success || stepCount !== 2)
        throw new Error(`${name}: the scripted episode did not succeed in two statements`);
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
