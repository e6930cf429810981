import { join, resolve } from "node:path";
import { messageOf } from "../core/errors.ts";
import { renderHtml } from "../report/html.ts";
import type { RunReport } from "../report/run-report.ts";
import { renderTable, renderTime } from "../report/table.ts";
import type { StoredViolation } from "../store/lightning-store.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { readReport } from "./run-directory.ts";
import { writeWhole } from "./write-whole.ts";

/** How many violations the page lists. */
const violationsMax = 200;

export const report: Command = {
  usage: ["report <run>"],
  description: "<run> is a run directory. The page is its report.html, complete in itself.",
  positionals: { min: 1, max: 1, names: ["<run>"] },
  options: {},
  examples: ["faraday report runs/second", "faraday report runs/second --json"],
  run: runReport,
};

async function runReport({ positionals, terminal }: Invocation): Promise<CommandResult> {
  const directory = resolve(positionals[0] ?? "");
  const found = readReport(directory);
  const violations = await violationsOf(found, directory).catch((error: unknown) => {
    terminal.stderr.write(`faraday: the page lists no violations: ${messageOf(error)}\n`);
    return [];
  });
  const page = join(directory, "report.html");
  writeWhole(page, renderHtml(found, { violations }));
  const { audit } = found;
  const signed = audit === null ? "" : `Audit: ${audit.size} records, signed; faraday audit verify ${directory}\n`;
  return { json: found, text: `${renderTable(found)}\n\n${renderTime(found)}Curves: ${page}\n${signed}` };
}

async function violationsOf({ run }: RunReport, directory: string): Promise<readonly StoredViolation[]> {
  const { loadConfig } = await import("../config/load-config.ts");
  const { openStore } = await import("../store/open.ts");
  const { config } = await loadConfig({ file: join(directory, "config.json") });
  await using store = await openStore(config.store, { baseDir: directory, mustExist: true });
  return await store.violations(run, violationsMax);
}
