import type { FillBench } from "./suite.ts";

/** Suites by name, in the order of a run; each is loaded when it is its turn. */
export const suites: Readonly<Record<string, () => Promise<FillBench>>> = {
  decision: async () => (await import("./decision.ts")).decision,
  statement: async () => (await import("./statement.ts")).statement,
  episode: async () => (await import("./episode.ts")).episode,
  sampling: async () => (await import("./sampling.ts")).sampling,
  learner: async () => (await import("./learner.ts")).learner,
  store: async () => (await import("./store.ts")).store,
  "store-http": async () => (await import("./store-http.ts")).storeHttp,
  recorder: async () => (await import("./recorder.ts")).recorder,
  audit: async () => (await import("./audit.ts")).audit,
};
