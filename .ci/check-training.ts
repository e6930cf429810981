/** Checks the figures of a training run with the shipped defaults: node .ci/check-training.ts report.json */
import { readFileSync } from "node:fs";
import { RunReport } from "../src/report/run-report.ts";

/** What must hold on the test split, as fractions of the episodes. */
const bounds = {
  ungoverned: { violationRate: [0.1, 0.15], undetectedRate: [0.1, 0.15], taskAccuracy: [0.7, 0.85] },
  before: { undetectedRate: [0, 0] },
  after: { violationRate: [0, 0.005], undetectedRate: [0, 0], taskAccuracy: [0.95, 1] },
} as const;

const report = RunReport.parse(JSON.parse(readFileSync(process.argv[2] ?? "report.json", "utf8")));
let wrong = report.status === "succeeded" ? 0 : 1;
for (const [phase, figures] of Object.entries(bounds)) {
  for (const [name, [low, high]] of Object.entries(figures)) {
    const found = report[phase as keyof typeof bounds]?.[name as "taskAccuracy"] ?? Number.NaN;
    const holds = found >= low && found <= high;
    if (!holds) wrong++;
    console.log(`${holds ? "ok   " : "WRONG"} ${phase}.${name} = ${found.toFixed(4)}, expected ${low}..${high}`);
  }
}
console.log(`${report.iterations} iterations, ${report.episodes} episodes in ${report.wallSeconds.toFixed(1)} s`);
process.exitCode = wrong === 0 ? 0 : 1;
