import { AgentOSRunner } from "../../src/runner/agent-os-runner.ts";
import { PolicyReward } from "../../src/runner/policy-reward.ts";
import { episodeKey, type ShippedAgent, shippedKernel } from "../shipped-agent.ts";
import { type Activity, settlingBytes } from "./soak.ts";

/** Scripted episodes of a statement each, one in eight of them a violation. */
export function episodes(agent: ShippedAgent, count: number): Activity {
  const { environment, config } = agent;
  const [task] = environment.tasks;
  if (task === undefined) throw new Error("the shipped environment has no tasks");
  return {
    ...{ name: "governed episodes of one kernel", count, bytesMax: settlingBytes },
    work: async (times) => {
      using kernel = await shippedKernel(agent);
      const runner = new AgentOSRunner(kernel, config.runner);
      const reward = new PolicyReward(kernel, config.reward);
      for (let index = 0; index < times; index++) {
        const sql = index % 8 === 0 ? "DROP TABLE users" : `SELECT COUNT(*) FROM users WHERE id > ${index}`;
        const act = (_: unknown, { step }: { readonly step: number }) =>
          step === 0 ? { syscall: "sql.query", args: { sql } } : null;
        const key = episodeKey(index, task.id);
        await runner.run({ act }, { environment, task, reward, key, governed: true });
        kernel.recorder.seal();
      }
    },
  };
}

export function kernels(agent: ShippedAgent, count: number): Activity {
  return {
    ...{ name: "kernels booted and closed", count, bytesMax: settlingBytes },
    work: async (times) => {
      for (let index = 0; index < times; index++) {
        using kernel = await shippedKernel(agent);
        using session = kernel.open({ episode: episodeKey(index), governed: true });
        session.execute({ syscall: "sql.query", args: { sql: "SELECT COUNT(*) FROM users" } });
      }
    },
  };
}
