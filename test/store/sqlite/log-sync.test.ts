import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LogSync } from "../../../src/store/sqlite/log-sync.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-log-"));
  path = join(folder, "store.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

it("what is asked for while a sync runs waits for the next one, together", async () => {
  writeFileSync(`${path}-wal`, "frames");
  await using log = new LogSync(path);
  const first = log.synced();
  expect(log.synced()).toBe(first);
  await first;
  const [second, third] = [log.synced(), log.synced()];
  expect(second).not.toBe(first);
  expect(third).toBe(second);
  expect(log.pending).toBe(second);
  await second;
  expect(log.pending).toBeUndefined();
});

it("after a sync that failed all others do, and so does waiting for what was committed before", async () => {
  const log = new LogSync(path);
  await expect(log.synced()).rejects.toThrow(/ENOENT/);
  writeFileSync(`${path}-wal`, "frames");
  await expect(log.synced()).rejects.toThrow(/ENOENT/);
  await expect(log.pending).rejects.toThrow(/ENOENT/);
});
