import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Folders whose files share a process and what it has loaded: they start no threads and fill no SQLite. */
const together = ["audit", "config", "core", "grpo", "model", "report", "runner"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

/** What takes longest begins first, so that it does not run alone at the end. */
const longest = [
  "run/resume",
  "run/faults",
  "fuzz/config",
  "fuzz/sql",
  "fuzz/store-server",
  "fuzz/audit",
  "fuzz/config",
  "fuzz/store-server",
  "fuzz/audit",
  "safety/confirmation",
  "safety/mutation",
  "safety/kernel-run",
  "safety/corpus",
  "safety/generated",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      return index < 0 ? longest.length : index;
    };
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  resolve: {
    alias: { "faraday-rl": fileURLToPath(new URL("src/index.ts", import.meta.url)) },
  },
  test: {
    projects: [
      { extends: true, test: { name: "together", include: together, isolate: false } },
      { extends: true, test: { name: "apart", include: ["test/**/*.test.ts"], exclude: together } },
    ],
    env: {
      // Audit keys and known heads are kept in the user's config folder; the tests have one of their own.
      XDG_CONFIG_HOME: mkdtempSync(join(tmpdir(), "faraday-config-")),
      // Worker threads and child processes load what others have compiled.
      NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.compile-cache", import.meta.url)),
    },
    // Processes, not threads: tests start worker threads of their own and must be able to end them.
    pool: "forks",
    // Worker threads inherit this, and so find the package under its own name in its sources.
    execArgv: ["--conditions=faraday-source"],
    // One more than CI has cores: many tests wait, for deadlines above all. A fourth was measured to gain nothing.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
