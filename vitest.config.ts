import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: { "faraday-rl": fileURLToPath(new URL("src/index.ts", import.meta.url)) },
  },
  test: {
    include: ["test/**/*.test.ts"],
    // Audit keys and known heads are kept in the user's config folder; the tests have one of their own.
    env: { XDG_CONFIG_HOME: mkdtempSync(join(tmpdir(), "faraday-config-")) },
    // Processes, not threads: tests start worker threads of their own and must be able to end them.
    pool: "forks",
    // Worker threads inherit this, and so find the package under its own name in its sources.
    execArgv: ["--conditions=faraday-source"],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
  },
});
