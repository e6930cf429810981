import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { choiceOption, integerOption } from "../../src/commands/option-values.ts";
import { seedsOf } from "../../src/commands/seeds.ts";
import { parseFilter } from "../../src/export/filter.ts";
import { openStore, storePlace } from "../../src/store/open.ts";
import { faraday } from "../commands/run-cli.ts";
import { expectClearText, fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
import { mutantText } from "./mutants.ts";

const folder = scratchFolder();

describe("a command line that is not as it should be", fuzzTimeout, () => {
  const words = [
    ...["train", "eval", "report", "audit", "kernel", "export", "store", "signal", "schema", "bench", "help"],
    ...["verify", "show", "prove", "run", "lint", "--json", "--set", "train.seed=1", "--seed", "1", "--seeds", "1,2"],
    ...[
      "--resume",
      "--store",
      "sqlite:none.db",
      "--port",
      "80",
      "--format",
      "trl",
      "--workers",
      "2",
      "--time",
      "..",
      "--limit",
      "3",
    ],
    ...["--no-such", "--", "-x", "--episodes=1", "--help", "SIGKILL", "train-1-0-0"],
  ];
  /** Commands that would begin something; what they take is read before, as that of the others. */
  const beginning = ["train", "pretrain", "bench", "init", "ablate", "doctor", "eval", "import"];
  const lines = fc
    .array(fc.oneof(fc.constantFrom(...words), mutantText(...words)), { minLength: 1, maxLength: 6 })
    .filter(([command = ""]) => !beginning.includes(command))
    // It asks for the stack.
    .filter((argv) => !argv.some((argument) => argument.startsWith("--verb")));

  it("ends with an exit code and a message", () =>
    fuzz(lines, async (argv) => {
      const { exitCode, stderr, stdout } = await faraday(argv);
      expect([0, 1, 2]).toContain(exitCode);
      if (exitCode !== 0) expectClearText(stderr + stdout);
    }));

  const value = (given: string) => ({ value: () => given });
  it("in a number or a choice", () =>
    fuzz(mutantText("1", "4747", "train"), (text) => {
      integerOption(value(text), "port", { min: 0, max: 65_535 });
      choiceOption(value(text), "phase", ["train", "before"]);
    }));

  it("in its seeds", () => fuzz(mutantText("1,2,3", "7", "4294967295,0"), seedsOf));

  it("in the URL of a store", () =>
    fuzz(
      mutantText(
        "sqlite:faraday.db",
        "sqlite:./a/b.db",
        "postgres://u:p@host:5432/db?schema=faraday",
        "http://token@127.0.0.1:4747",
      ),
      async (url) => {
        if (/^(?:https?|postgres(?:ql)?):/.test(url)) storePlace(url, { baseDir: folder });
        else await openStore(url, { baseDir: folder, mustExist: true });
      },
    ));

  it("in a filter", () =>
    fuzz(
      mutantText("reward>0 and violations=0 and phase=train", 'not (task="a b" or cost<=1e3) and success=true'),
      (text) => parseFilter(text),
    ));
});
