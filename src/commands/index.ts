import type { Command } from "./command.ts";

/** Every command by its name, loaded when it is named; the help lists them in this order. */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import("./train.ts")).train,
  pretrain: async () => (await import("./pretrain.ts")).pretrain,
  ablate: async () => (await import("./ablate.ts")).ablate,
  eval: async () => (await import("./eval.ts")).evaluate,
  report: async () => (await import("./report.ts")).report,
  audit: async () => (await import("./audit.ts")).audit,
  export: async () => (await import("./export.ts")).exportCommand,
  status: async () => (await import("./status.ts")).status,
  signal: async () => (await import("./signal.ts")).signal,
  store: async () => (await import("./store.ts")).store,
  bench: async () => (await import("./bench.ts")).bench,
  kernel: async () => (await import("./kernel.ts")).kernel,
  schema: async () => (await import("./schema.ts")).schema,
  doctor: async () => (await import("./doctor.ts")).doctor,
  init: async () => (await import("./init.ts")).init,
  import: async () => (await import("./import.ts")).importCommand,
};
