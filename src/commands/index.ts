import type { Command } from "./command.ts";

export interface CommandEntry {
  /** One line, without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command by its name, loaded when it is named: the help that lists them in this order needs none of them. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  train: {
    summary: "Train an agent inside the kernel and measure it before and after",
    load: async () => (await import("./train.ts")).train,
  },
  pretrain: {
    summary: "Make a base policy by cloning the demonstrations of the tasks",
    load: async () => (await import("./pretrain.ts")).pretrain,
  },
  ablate: {
    summary: "Compare training without the kernel, with the scalar reward, and with reward and cost apart",
    load: async () => (await import("./ablate.ts")).ablate,
  },
  eval: {
    summary: "Measure a trained policy, or any checkpoint, on a split of the tasks",
    load: async () => (await import("./eval.ts")).evaluate,
  },
  report: {
    summary: "Show what a run has achieved, and write it as a page with its curves",
    load: async () => (await import("./report.ts")).report,
  },
  audit: {
    summary: "Verify the audit log of a run, read it, or prove what it holds of an episode",
    load: async () => (await import("./audit.ts")).audit,
  },
  export: {
    summary: "Write the episodes of a run for other programs",
    load: async () => (await import("./export.ts")).exportCommand,
  },
  status: {
    summary: "Say what a run is doing: workers, stuck episodes, retries, quarantine",
    load: async () => (await import("./status.ts")).status,
  },
  signal: {
    summary: "Hold, release or end an episode of a run that goes on",
    load: async () => (await import("./signal.ts")).signal,
  },
  store: {
    summary: "Serve a store to others, count it, prune it, copy it",
    load: async () => (await import("./store.ts")).store,
  },
  bench: {
    summary: "Measure how fast episodes are rolled out, by workload and number of workers",
    load: async () => (await import("./bench.ts")).bench,
  },
  kernel: {
    summary: "Let another program act through a kernel, or check the policies of one",
    load: async () => (await import("./kernel.ts")).kernel,
  },
  schema: {
    summary: "Print the JSON Schema of the config, or every key as a table",
    load: async () => (await import("./schema.ts")).schema,
  },
  doctor: {
    summary: "Say what this machine lacks, and how to get it",
    load: async () => (await import("./doctor.ts")).doctor,
  },
  init: {
    summary: "Write a config to start from, without overwriting anything",
    load: async () => (await import("./init.ts")).init,
  },
  import: {
    summary: "Turn a text-to-SQL data set into tasks, a database and a config",
    load: async () => (await import("./import.ts")).importCommand,
  },
};
