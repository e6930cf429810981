import { randomBytes } from "node:crypto";
import type { Connection } from "./connection.ts";
import { tracesOf } from "./otlp-request.ts";

/** One turn of a workload on one connection; it throws where an answer is not as it must be. */
export type Turn = (connection: Connection) => Promise<void>;

const agl = "/v1/agl";

/** Workloads by name. Each is made anew for every run, with what it needs already in the store. */
export const workloads = {
  rollout: async () => wholeRollout,
  enqueue: async () => enqueue,
  dequeue: async (connection: Connection, turns: number): Promise<Turn> => {
    await post(connection, "/queues/rollouts/enqueue", {
      rollouts: Array.from({ length: turns }, () => ({ input: task })),
    });
    return async (each) => void (await dequeue(each));
  },
  span: async (connection: Connection) => {
    const owner = await started(connection);
    let sequence = 0;
    return async (each: Connection) => void (await post(each, "/spans", spanOf(owner, "chat", ++sequence)));
  },
  update: async (connection: Connection) => {
    const { rollout_id: rollout, attempt_id: attempt } = await started(connection);
    return async (each: Connection) =>
      void (await post(each, `/rollouts/${rollout}/attempts/${attempt}`, { status: "running" }));
  },
  get: async (connection: Connection) => {
    const { rollout_id: rollout } = await started(connection);
    return async (each: Connection) => void expectOk(await each.send("GET", `${agl}/rollouts/${rollout}`));
  },
  /** Each request is of another attempt, as exporters send them. */
  traces: async (connection: Connection, turns: number) => {
    const owners: Owner[] = [];
    while (owners.length < turns) owners.push(await started(connection));
    let next = 0;
    return async (each: Connection) => {
      const owner = owners[next++ % owners.length] as Owner;
      expectOk(await each.send("POST", "/v1/traces", tracesOf(owner, spansPerRequest), "application/x-protobuf"));
    };
  },
} satisfies Record<string, (connection: Connection, turns: number) => Promise<Turn>>;
export type Workload = keyof typeof workloads;

export const spansPerRequest = 100;

export interface Owner {
  readonly rollout_id: string;
  readonly attempt_id: string;
}

const task = { id: "task-17", prompt: "How many orders did each customer of Berlin place last month?", split: "train" };

/** Eight requests: into the queue, out of it, four spans, a reward, the end. */
async function wholeRollout(connection: Connection): Promise<void> {
  await enqueue(connection);
  const owner = await dequeue(connection);
  for (let sequence = 1; sequence <= 4; sequence++) await post(connection, "/spans", spanOf(owner, "chat", sequence));
  await post(connection, "/spans", spanOf(owner, "agentlightning.annotation", 5));
  await post(connection, `/rollouts/${owner.rollout_id}/attempts/${owner.attempt_id}`, { status: "succeeded" });
}

async function enqueue(connection: Connection): Promise<void> {
  await post(connection, "/queues/rollouts/enqueue", { rollouts: [{ input: task, mode: "train" }] });
}

async function dequeue(connection: Connection): Promise<Owner> {
  const answer = await post(connection, "/queues/rollouts/dequeue", { limit: 1, worker_id: "bench" });
  const [rollout] = JSON.parse(answer);
  return { rollout_id: rollout.rollout_id, attempt_id: rollout.attempt.attempt_id };
}

async function started(connection: Connection): Promise<Owner> {
  const rollout = JSON.parse(await post(connection, "/rollouts", { input: task }));
  return { rollout_id: rollout.rollout_id, attempt_id: rollout.attempt.attempt_id };
}

async function post(connection: Connection, path: string, body: unknown): Promise<string> {
  return expectOk(await connection.send("POST", agl + path, JSON.stringify(body)));
}

function expectOk({ status, body }: { readonly status: number; readonly body: string }): string {
  if (status !== 200 && status !== 201) throw new Error(`status ${status}: ${body.slice(0, 500)}`);
  return body;
}

function spanOf(owner: Owner, name: string, sequence: number) {
  const now = Date.now() / 1000;
  const trace = randomBytes(16).toString("hex");
  const span = randomBytes(8).toString("hex");
  return {
    ...{ ...owner, sequence_id: sequence, trace_id: trace, span_id: span, parent_id: null, name },
    status: { status_code: "OK", description: null },
    attributes: name === "chat" ? chat : reward,
    ...{ events: [], links: [], start_time: now, end_time: now },
    context: { trace_id: trace, span_id: span, is_remote: false, trace_state: {} },
    parent: null,
    resource: { attributes: { "service.name": "bench", "telemetry.sdk.language": "python" }, schema_url: "" },
  };
}

const chat = {
  "gen_ai.request.model": "gpt-4o-mini",
  "gen_ai.usage.input_tokens": 123,
  "gen_ai.usage.output_tokens": 45,
  "gen_ai.prompt.0.content": "You answer questions about a database of orders.",
  "gen_ai.completion.0.content": "SELECT customer, count(*) FROM orders GROUP BY customer",
};
const reward = { "agentlightning.reward.0.name": "primary", "agentlightning.reward.0.value": 1 };
