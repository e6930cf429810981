import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { newPostgresStore, server, skipReason } from "./postgres/postgres-place.ts";
import { sharedContract } from "./shared-contract.ts";

sharedContract("SQLite", () => {
  const baseDir = mkdtempSync(join(tmpdir(), "faraday-store-"));
  const remove = async () => rmSync(baseDir, { recursive: true });
  return { url: "sqlite:faraday.db", baseDir, [Symbol.asyncDispose]: remove };
});

describe.skipIf(server === undefined)(`on PostgreSQL (skipped where ${skipReason})`, () => {
  sharedContract("PostgreSQL", () => {
    const { url, drop } = newPostgresStore();
    return { url, baseDir: "/", [Symbol.asyncDispose]: drop };
  });
});
