import { AgentOSRunner, KernelSpace, PolicyReward, renderTable, SQLPolicy, Trainer } from "faraday-rl";

// A governed kernel: nothing may be dropped or deleted, by whatever statement.
const kernel = new KernelSpace({
  policy: new SQLPolicy({ deny: ["DROP", "DELETE"], severity: { DROP: "critical", DELETE: "high" } }),
});

// Episodes run inside it; what it refuses is penalised, and the episode goes on.
const runner = new AgentOSRunner(kernel, { failOnViolation: false, emitViolations: true });

const trainer = new Trainer({
  kernel,
  runner,
  reward: new PolicyReward(kernel, { critical: 100, cleanBonus: 5 }),
  env: "sql",
  algorithm: "GRPO",
  train: { iterations: Number(process.env.ITERATIONS ?? 30), seed: 1 },
});

const report = await trainer.train();
console.log(renderTable(report));
