import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SignalInbox, signalFile } from "../../src/run/signal-inbox.ts";
import { freshFolder } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

test("a signal from another process reaches the run that goes on in the directory", async () => {
  const folder = freshFolder();
  writeFileSync(join(folder, "run.lock"), `${process.pid}\n`);
  const heard: string[] = [];
  const rejected: string[] = [];
  const all = Promise.withResolvers<void>();
  using _inbox = new SignalInbox(join(folder, signalFile), {
    signal(episode, signal) {
      heard.push(`${episode} ${signal}`);
      if (heard.length === 2) all.resolve();
    },
    rejected: (reason) => rejected.push(reason),
  });
  expect((await faraday(["signal", folder, "train-1-0-0", "SIGSTOP"])).exitCode).toBe(0);
  writeFileSync(join(folder, signalFile), '{"episode":"x"}\n{"epi', { flag: "a" });
  writeFileSync(join(folder, signalFile), 'sode":"é","signal":"SIGKILL"}\n', { flag: "a" });
  await all.promise;
  expect(heard).toEqual(["train-1-0-0 SIGSTOP", "é SIGKILL"]);
  expect(rejected).toHaveLength(1);
});

test.each([
  [["train-1-0-0", "SIGSTOP"], "no run goes on in"],
  [["train-1-0-0", "SIGHUP"], "one of SIGSTOP, SIGCONT, SIGTERM, SIGKILL, got train-1-0-0 SIGHUP"],
])("what cannot be sent is told: %j", async ([episode = "", name = ""], message) => {
  const folder = freshFolder();
  const { exitCode, stderr } = await faraday(["signal", folder, episode, name]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test("a lock of a process that is gone is no run", async () => {
  const folder = freshFolder();
  writeFileSync(join(folder, "run.lock"), "999999999\n");
  expect((await faraday(["signal", folder, "e", "SIGKILL"])).exitCode).toBe(2);
  expect(readFileSync(join(folder, "run.lock"), "utf8")).toBe("999999999\n");
});
