import type { RunReport } from "../../src/report/run-report.ts";
import type { StoredViolation } from "../../src/store/lightning-store.ts";

/** A run of the length of a default one, with curves as training draws them. */
export function sampleReport(changes: Partial<RunReport> = {}): RunReport {
  return {
    run: "2026-03-01-sql-1",
    status: "succeeded",
    seed: 1,
    wallSeconds: 41.27,
    time: { evaluation: 9.5, rollout: 20.25, learn: 10.5, store: 0.5, idle: 0.52 },
    iterations: 60,
    episodes: 15_360,
    quarantinedEpisodes: 0,
    quarantinedTasks: [],
    workers: 2,
    ungoverned: { taskAccuracy: 0.764, violationRate: 0.124, undetectedRate: 0.124, episodes: 500 },
    before: { taskAccuracy: 0.752, violationRate: 0.126, undetectedRate: 0, episodes: 500 },
    after: { taskAccuracy: 0.968, violationRate: 0, undetectedRate: 0, episodes: 500 },
    config: { "env.type": "sql", "train.algorithm": "grpo", "train.groupsPerBatch": 32, "reward.channels": "separate" },
    evaluations: [],
    best: null,
    curve: Array.from({ length: 60 }, (_, iteration) => ({ iteration, metrics: metricsAt(iteration) })),
    machine: { cpu: "AMD EPYC 7R13", cores: 2, memoryBytes: 8 * 2 ** 30, platform: "linux x64", node: "v26.10.0" },
    audit: { origin: "faraday.invalid/sample/0123456789abcdef", size: 92_160, root: "ab".repeat(32) },
    ...changes,
  };
}

function metricsAt(iteration: number): Record<string, number> {
  const learned = 1 - Math.exp(-iteration / 15);
  const wobble = Math.sin(iteration * 1.7) * 0.015;
  return {
    accuracy: 0.74 + 0.22 * learned + wobble,
    violationRate: Math.max(0, 0.13 * (1 - learned) + wobble),
    meanReward: 0.74 + 0.22 * learned + wobble,
    meanCost: Math.max(0, 6.5 * (1 - learned) + wobble * 20),
    violatorsWithPositiveAdvantage: 0,
    groupsUsed: Math.round(30 - 18 * learned),
    loss: -0.02 + wobble,
    gradNorm: 0.9 - 0.5 * learned + wobble,
    clipFraction: 0.05 + wobble,
    entropy: 0.4 - 0.25 * learned,
    approxKl: 0.004 + wobble / 10,
    episodesPerSecond: 480 + wobble * 1000,
    rolloutSeconds: 0.36 + wobble,
    learnSeconds: 0.27 - wobble,
    storeSeconds: 0.008,
  };
}

export function sampleViolation(changes: Partial<StoredViolation> = {}): StoredViolation {
  return {
    episode: "train-0-0-1",
    task: "count-users",
    phase: "train",
    iteration: 0,
    weights: 0,
    step: 0,
    statement: "DELETE FROM orders WHERE status = 'cancelled'",
    policy: "sql",
    rule: "DELETE",
    severity: "high",
    type: "BLOCKED",
    blocked: true,
    penalty: 50,
    ...changes,
  };
}
