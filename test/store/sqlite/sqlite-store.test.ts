import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FaradayError, InputError } from "../../../src/core/errors.ts";
import { openStore } from "../../../src/store/open.ts";
import { addFunctions } from "../../../src/store/sqlite/open-database.ts";
import { storeContract } from "../contract.ts";
import { queueContract } from "../queue-contract.ts";
import { Recorder } from "../recorder.ts";
import { sampleBatch, sampleWeights } from "../samples.ts";
import { weightsContract } from "../weights-contract.ts";

const newPlace = async () => {
  const baseDir = mkdtempSync(join(tmpdir(), "faraday-store-"));
  return {
    open: () => openStore("sqlite:faraday.db", { baseDir }),
    [Symbol.asyncDispose]: async () => rmSync(baseDir, { recursive: true }),
  };
};
storeContract("SQLite", newPlace);
weightsContract("SQLite", newPlace);

queueContract("SQLite", async () => {
  const baseDir = mkdtempSync(join(tmpdir(), "faraday-store-"));
  return {
    open: (now) => openStore("sqlite:faraday.db", { baseDir, now }),
    [Symbol.asyncDispose]: async () => rmSync(baseDir, { recursive: true }),
  };
});

let baseDir: string;
beforeEach(() => {
  baseDir = mkdtempSync(join(tmpdir(), "faraday-store-"));
});
afterEach(() => rmSync(baseDir, { recursive: true }));

/** Reads the file as another program would. */
function ask(sql: string, ...values: readonly string[]): unknown[] {
  using database = new DatabaseSync(join(baseDir, "faraday.db"));
  addFunctions(database);
  return database
    .prepare(sql)
    .all(...values)
    .map((row) => ({ ...row }));
}

async function storedRun(): Promise<void> {
  await using store = await openStore("sqlite:faraday.db", { baseDir });
  await store.beginRun({ id: "run-1", config: {} });
  await store.storeBatch(sampleBatch(new Recorder(1)));
}

describe("the file", () => {
  it("answers what a violation cost by one query", async () => {
    await storedRun();
    expect(ask("SELECT * FROM violation_report WHERE run = ?", "run-1")).toEqual([
      {
        run: "run-1",
        phase: "train",
        iteration: 0,
        weights: 2,
        episode: "train-0-0-1",
        task: "count-users",
        step: 1,
        statement: "DELETE FROM users",
        policy: "sql",
        rule: "DELETE",
        severity: "high",
        type: "BLOCKED",
        description: "DELETE is denied",
        blocked: 1,
        penalty: 50,
        episode_cost: 50,
        reward: 1,
        advantage: -1.5,
      },
    ]);
  });

  it("lets SQL ask the audit record by record, and the metrics by name", async () => {
    await storedRun();
    const denied = ask(
      `SELECT worker, epoch, sequence, episode FROM audit_records
       WHERE run = ? AND kind = 'outcome' AND record ->> '$.verdict' = 'deny'`,
      "run-1",
    );
    expect(denied).toEqual([{ worker: 1, epoch: 0, sequence: 10, episode: "train-0-0-1" }]);
    const iterations = ask("SELECT accuracy, violation_rate, mean_reward, mean_cost FROM iterations");
    expect(iterations).toEqual([{ accuracy: 0.5, violation_rate: 0.5, mean_reward: 1, mean_cost: 25 }]);
  });

  it("holds a batch whose process was killed right after storing it", () => {
    const writer = new URL("./killed-writer.ts", import.meta.url);
    const child = spawnSync(process.execPath, [writer.pathname, baseDir], { encoding: "utf8" });
    expect(child.stderr).toBe("");
    expect(child.signal).toBe("SIGKILL");
    expect(ask("SELECT episode FROM rollouts ORDER BY key")).toHaveLength(2);
    expect(ask("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
  });

  it("is in WAL mode and knows its schema version", async () => {
    await storedRun();
    expect(ask("PRAGMA journal_mode")).toEqual([{ journal_mode: "wal" }]);
    expect(ask("PRAGMA user_version")).toEqual([{ user_version: 4 }]);
  });
});

describe("opening", () => {
  async function expectRefused(url: string, message: RegExp, mustExist = false) {
    const refusal = expect(openStore(url, { baseDir, mustExist })).rejects;
    await refusal.toThrow(message);
    await refusal.toBeInstanceOf(InputError);
    await refusal.toBeInstanceOf(FaradayError);
  }

  it("refuses a schema newer than its own and leaves it as it is", async () => {
    await storedRun();
    ask("PRAGMA user_version = 5");
    const before = readFileSync(join(baseDir, "faraday.db"));
    await expectRefused("sqlite:faraday.db", /schema version 5, newer than 4/);
    expect(readFileSync(join(baseDir, "faraday.db"))).toEqual(before);
  });

  it("brings a store of version 3 up to date: its rollouts name their weights", async () => {
    await storedRun();
    ask("DROP VIEW lightning_rollouts");
    ask(
      "CREATE VIEW lightning_rollouts AS SELECT 0 AS source, key, rollout_id, status, mode, resources_id FROM queue_rollouts",
    );
    ask("PRAGMA user_version = 3");
    await using store = await openStore("sqlite:faraday.db", { baseDir });
    await store.storeWeights(sampleWeights());
    const { items } = await store.queryRollouts({ sort_by: "resources_id" });
    expect(items.map(({ resources_id }) => resources_id)).toEqual(["run-1:weights:2", "run-1:weights:2"]);
    expect(ask("PRAGMA user_version")).toEqual([{ user_version: 4 }]);
  });

  it("refuses a schema older than its own, says what made it and what to do, and leaves it as it is", async () => {
    await storedRun();
    ask("PRAGMA user_version = 1");
    const before = readFileSync(join(baseDir, "faraday.db"));
    await expectRefused("sqlite:faraday.db", /schema version 1, made by .*needs version 2 or newer: read it with/);
    expect(readFileSync(join(baseDir, "faraday.db"))).toEqual(before);
  });

  it("refuses a file that is no database and leaves it as it is", async () => {
    const text = "Dear diary, ".repeat(200);
    writeFileSync(join(baseDir, "diary.txt"), text);
    await expectRefused("sqlite:diary.txt", /diary\.txt is not an SQLite database/);
    expect(readFileSync(join(baseDir, "diary.txt"), "utf8")).toBe(text);
  });

  it("refuses a database of something else and leaves it as it is", async () => {
    using shop = new DatabaseSync(join(baseDir, "shop.db"));
    shop.exec("CREATE TABLE users (id)");
    const before = readFileSync(join(baseDir, "shop.db"));
    await expectRefused("sqlite:shop.db", /shop\.db is an SQLite database, but not a Faraday store/);
    expect(readFileSync(join(baseDir, "shop.db"))).toEqual(before);
  });

  it("refuses a missing directory, and a path that is a directory", async () => {
    await expectRefused("sqlite:nowhere/faraday.db", /there is no directory .*nowhere/);
    mkdirSync(join(baseDir, "folder"));
    await expectRefused("sqlite:folder", /must be a file, got a directory/);
  });

  it("refuses a place that cannot be written", async () => {
    // Not even the superuser can make a file here.
    await expectRefused("sqlite:/proc/faraday.db", /cannot be opened for writing/);
  });

  it("makes no store where one must exist", async () => {
    await expectRefused("sqlite:faraday.db", /does not exist/, true);
    expect(existsSync(join(baseDir, "faraday.db"))).toBe(false);
  });

  it.each(["faraday.db", "", "sqlite:", "sqlite://host/faraday.db", "ftp://u:secret@host"])(
    "refuses %j, which names no store",
    async (url) => {
      await expectRefused(url, /store must be sqlite:path/);
      await expect(openStore(url, { baseDir })).rejects.not.toThrow(/secret/);
    },
  );

  it("takes absolute paths as they are", async () => {
    await using store = await openStore(`sqlite://${join(baseDir, "absolute.db")}`, { baseDir: "/" });
    expect(await store.runs()).toEqual([]);
    expect(existsSync(join(baseDir, "absolute.db"))).toBe(true);
  });
});
