import { beforeEach, describe, expect, it } from "vitest";
import type { LightningStore } from "../../src/store/lightning-store.ts";
import type { RolloutQueue } from "../../src/store/rollout-queue.ts";
import { type AttemptedRollout, attemptStatuses, type RolloutConfigInput } from "../../src/store/rollout-record.ts";
import { BadValueError, UnknownIdError } from "../../src/store/store-errors.ts";
import { sampleSpan, spanId } from "./queue-samples.ts";
import { Recorder } from "./recorder.ts";
import { sampleBatch } from "./samples.ts";

/** A place for one store, new for every test, with a clock that the test sets: milliseconds since 1970. */
export interface QueuePlace extends AsyncDisposable {
  open(now: () => number): Promise<RolloutQueue & Pick<LightningStore, "beginRun" | "storeBatch"> & AsyncDisposable>;
}

/** What every backend guarantees of the life of rollouts, with the semantics of Agent Lightning 0.3. */
export function queueContract(name: string, newPlace: () => Promise<QueuePlace>): void {
  describe(`${name} keeps the contract of RolloutQueue`, () => {
    let store: Awaited<ReturnType<QueuePlace["open"]>>;
    let seconds = 1_700_000_000;
    const now = () => 1000 * seconds;

    beforeEach(async () => {
      const place = await newPlace();
      seconds = 1_700_000_000;
      store = await place.open(now);
      return async () => {
        await store[Symbol.asyncDispose]();
        await place[Symbol.asyncDispose]();
      };
    });

    /** Enqueues and dequeues one rollout. */
    async function handedOut(config: RolloutConfigInput = {}, worker = "w1"): Promise<AttemptedRollout> {
      await store.enqueueRollout({ input: { task: 1 }, config });
      return (await store.dequeueRollout(worker)) as AttemptedRollout;
    }

    describe("the queue", () => {
      it("hands out the oldest first, each with its first attempt, and nothing twice", async () => {
        const requests = [
          { input: "a" },
          { input: { b: [1, null] }, mode: "val", metadata: { k: "v" } },
          { input: null },
        ];
        const queued = await store.enqueueRollouts(requests as Parameters<RolloutQueue["enqueueRollouts"]>[0]);
        expect(queued.map(({ status }) => status)).toEqual(["queuing", "queuing", "queuing"]);
        expect(queued[1]).toMatchObject({ input: { b: [1, null] }, mode: "val", metadata: { k: "v" }, end_time: null });
        const config = { timeout_seconds: null, unresponsive_seconds: null, max_attempts: 1, retry_condition: [] };
        expect(queued[0]).toMatchObject({ config, metadata: {}, resources_id: null, start_time: seconds });
        const [first] = await store.dequeueRollouts({ worker_id: "w1" });
        expect(first).toMatchObject({ ...queued[0], status: "preparing" });
        expect(first?.rollout_id).toMatch(/^ro-[1-9a-f][0-9a-f]{11}$/);
        expect(first?.attempt).toMatchObject({ sequence_id: 1, status: "preparing", worker_id: "w1", end_time: null });
        expect(first?.attempt.attempt_id).toMatch(/^at-[0-9a-f]{8}$/);
        const rest = await store.dequeueRollouts({ limit: 5 });
        expect(rest.map(({ rollout_id }) => rollout_id)).toEqual(queued.slice(1).map(({ rollout_id }) => rollout_id));
        expect(await store.dequeueRollout()).toBeNull();
        expect(await store.dequeueRollouts({ limit: 0 })).toEqual([]);
      });

      it("does not hand out what was cancelled, and again what was put back", async () => {
        const [one, two] = await store.enqueueRollouts([{ input: 1 }, { input: 2 }]);
        const cancelled = await store.updateRollout(one?.rollout_id ?? "", { status: "cancelled" });
        expect(cancelled).toMatchObject({ status: "cancelled", end_time: seconds });
        expect((await store.dequeueRollout())?.rollout_id).toBe(two?.rollout_id);
        expect(await store.dequeueRollout()).toBeNull();
        await store.updateRollout(one?.rollout_id ?? "", { status: "queuing" });
        expect((await store.dequeueRollout())?.rollout_id).toBe(one?.rollout_id);
      });

      it("gives every rollout to exactly one of many who ask at once", async () => {
        const queued = await store.enqueueRollouts(Array.from({ length: 40 }, (_, input) => ({ input })));
        const asked = Array.from({ length: 30 }, (_, worker) =>
          store.dequeueRollouts({ limit: 2, worker_id: `w${worker}` }),
        );
        const ids = (await Promise.all(asked)).flat().map(({ rollout_id }) => rollout_id);
        expect(ids.toSorted()).toEqual(queued.map(({ rollout_id }) => rollout_id).toSorted());
      });

      it("gives rollouts the latest resources where they name none", async () => {
        const { resources_id } = await store.addResources({
          prompt: { resource_type: "prompt_template", template: "t" },
        });
        expect(await store.enqueueRollout({ input: 1 })).toMatchObject({ resources_id });
        expect(await store.startRollout({ input: 1, resources_id: "rs-own" })).toMatchObject({
          resources_id: "rs-own",
        });
      });
    });

    describe("an attempt", () => {
      it("that is started without the queue is prepared at once", async () => {
        const started = await store.startRollout({ input: 7, worker_id: "w9" });
        expect(started).toMatchObject({ status: "preparing", attempt: { sequence_id: 1, worker_id: "w9" } });
        expect(await store.getWorker("w9")).toMatchObject({ status: "busy", current_rollout_id: started.rollout_id });
        const again = await store.startAttempt(started.rollout_id);
        expect(again.attempt).toMatchObject({ sequence_id: 2, worker_id: null });
        expect(await store.getLatestAttempt(started.rollout_id)).toEqual(again.attempt);
        expect((await store.queryAttempts(started.rollout_id)).items.map(({ sequence_id }) => sequence_id)).toEqual([
          1, 2,
        ]);
      });

      it("that succeeds makes its rollout succeed, and its worker idle", async () => {
        const { rollout_id, attempt } = await handedOut();
        const ended = await store.updateAttempt(rollout_id, "latest", { status: "succeeded", metadata: { a: 1 } });
        expect(ended).toEqual({ ...attempt, status: "succeeded", end_time: seconds, metadata: { a: 1 } });
        expect(await store.getRollout(rollout_id)).toMatchObject({
          status: "succeeded",
          end_time: seconds,
          attempt: ended,
        });
        const idle = { status: "idle", current_rollout_id: null, last_idle_time: seconds, last_dequeue_time: seconds };
        expect(await store.getWorker("w1")).toMatchObject(idle);
      });

      it.each(attemptStatuses.filter((status) => !["preparing", "running", "succeeded"].includes(status)))(
        "that ends as %s is tried again where the config says so, and as often",
        async (status) => {
          const { rollout_id } = await handedOut({ max_attempts: 2, retry_condition: [status] });
          await store.updateAttempt(rollout_id, "latest", { status });
          expect(await store.getRollout(rollout_id)).toMatchObject({ status: "requeuing", end_time: null });
          const second = await store.dequeueRollout("w2");
          expect(second).toMatchObject({ rollout_id, status: "preparing", attempt: { sequence_id: 2 } });
          await store.updateAttempt(rollout_id, second?.attempt.attempt_id ?? "", { status });
          expect(await store.getRollout(rollout_id)).toMatchObject({ status: "failed", end_time: seconds });
          expect(await store.dequeueRollout()).toBeNull();
        },
      );

      it("that is not the latest leaves its rollout alone", async () => {
        const { rollout_id, attempt } = await handedOut();
        await store.startAttempt(rollout_id);
        await store.updateAttempt(rollout_id, attempt.attempt_id, { status: "failed" });
        expect(await store.getRollout(rollout_id)).toMatchObject({ status: "preparing", attempt: { sequence_id: 2 } });
      });

      it("runs from its first span on, and lives as long as spans come", async () => {
        const { rollout_id, attempt } = await handedOut({ unresponsive_seconds: 10 });
        seconds += 8;
        await store.addSpan(sampleSpan(attempt));
        expect(await store.getRollout(rollout_id)).toMatchObject({
          status: "running",
          attempt: { status: "running", last_heartbeat_time: seconds },
        });
        seconds += 8;
        expect(await store.getRollout(rollout_id)).toMatchObject({ status: "running" });
        await store.updateAttempt(rollout_id, "latest", { last_heartbeat_time: seconds });
        seconds += 9;
        expect(await store.getRollout(rollout_id)).toMatchObject({ status: "running" });
        seconds += 2;
        expect(await store.getRollout(rollout_id)).toMatchObject({
          status: "failed",
          attempt: { status: "unresponsive" },
        });
        expect(await store.getWorker("w1")).toMatchObject({ status: "unknown", current_attempt_id: null });
      });

      it("that was given up as unresponsive runs again when a span comes", async () => {
        const retry = { unresponsive_seconds: 5, max_attempts: 2, retry_condition: ["unresponsive"] } as const;
        const { rollout_id, attempt } = await handedOut(retry);
        seconds += 6;
        expect(await store.getRollout(rollout_id)).toMatchObject({ status: "requeuing" });
        await store.addSpan(sampleSpan(attempt));
        expect(await store.getRollout(rollout_id)).toMatchObject({ status: "running", attempt: { status: "running" } });
        expect(await store.dequeueRollout()).toBeNull();
      });

      it("that takes too long times out, whatever it sends, and is tried again", async () => {
        const retry = { timeout_seconds: 30, max_attempts: 2, retry_condition: ["timeout"] } as const;
        const { rollout_id, attempt } = await handedOut(retry);
        seconds += 29;
        await store.addSpan(sampleSpan(attempt));
        seconds += 2;
        const again = await store.dequeueRollout("w2");
        expect(again).toMatchObject({ rollout_id, attempt: { sequence_id: 2 } });
        const attempts = (await store.queryAttempts(rollout_id)).items;
        expect(attempts.map(({ status }) => status)).toEqual(["timeout", "preparing"]);
      });
    });

    describe("updates", () => {
      it("leave what is absent, set what is null, and refuse null where something must be", async () => {
        const { rollout_id } = await store.enqueueRollout({ input: 1, mode: "train", metadata: { a: 1 } });
        const config = { max_attempts: 3 };
        const updated = await store.updateRollout(rollout_id, { input: null, mode: null, config });
        expect(updated).toMatchObject({ input: null, mode: null, metadata: { a: 1 }, status: "queuing" });
        expect(updated.config).toEqual({ ...updated.config, max_attempts: 3, retry_condition: [] });
        expect(await store.updateRollout(rollout_id, { metadata: null })).toMatchObject({ metadata: null, mode: null });
        await expect(store.updateRollout(rollout_id, { status: null })).rejects.toBeInstanceOf(BadValueError);
        await store.startAttempt(rollout_id);
        await expect(store.updateAttempt(rollout_id, "latest", { worker_id: null })).rejects.toBeInstanceOf(
          BadValueError,
        );
        await expect(store.updateWorker("w", { heartbeat_stats: null })).rejects.toBeInstanceOf(BadValueError);
      });

      it("of what is not there say so", async () => {
        const { rollout_id } = await store.enqueueRollout({ input: 1 });
        const unknown = { rollout_id, attempt_id: "at-none" };
        const refused = await Promise.allSettled([
          store.updateRollout("ro-none", {}),
          store.startAttempt("ro-none"),
          store.updateAttempt("ro-none", "latest", {}),
          store.updateAttempt(rollout_id, "latest", { status: "failed" }),
          store.updateAttempt(rollout_id, "at-none", { status: "failed" }),
          store.addSpan(sampleSpan(unknown)),
          store.addSpan(sampleSpan({ ...unknown, rollout_id: "ro-none" })),
        ]);
        const reasons = refused.map((each) => (each.status === "rejected" ? each.reason : each.value));
        expect(reasons.map((reason) => reason instanceof UnknownIdError)).toEqual(refused.map(() => true));
        expect(await store.getRollout("ro-none")).toBeNull();
        expect(await store.getLatestAttempt(rollout_id)).toBeNull();
        expect(await store.getWorker("none")).toBeNull();
        expect(await store.getResourcesById("none")).toBeNull();
        expect(await store.getLatestResources()).toBeNull();
        expect(await store.querySpans({ rollout_id: "ro-none" })).toMatchObject({ items: [], total: 0 });
      });

      it("that come together are made in the order of their calls, and one that fails fails alone", async () => {
        const { rollout_id, attempt } = await handedOut();
        const [span, unknown, ended] = await Promise.allSettled([
          store.addSpan(sampleSpan(attempt)),
          store.updateRollout("ro-none", { mode: "val" }),
          store.updateRollout(rollout_id, { mode: "val" }),
        ]);
        expect([span.status, unknown.status, ended.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
        expect(await store.getRollout(rollout_id)).toMatchObject({ mode: "val", status: "running" });
      });
    });

    describe("spans", () => {
      it("come back as they were, each once", async () => {
        const { rollout_id, attempt } = await handedOut();
        const span = sampleSpan(attempt);
        expect(await store.addSpan(span)).toEqual(span);
        expect(await store.addSpan({ ...span, name: "another" })).toBeNull();
        const more = [sampleSpan(attempt, { span_id: spanId(9), sequence_id: 2 }), span];
        expect(await store.addSpans([...more, more[0] as typeof span])).toEqual([more[0], null, null]);
        const page = await store.querySpans({ rollout_id });
        expect(page).toEqual({ items: [span, more[0]], limit: -1, offset: 0, total: 2 });
      });

      it("are taken by the thousand", async () => {
        const { rollout_id, attempt } = await handedOut();
        const spans = Array.from({ length: 1500 }, (_, index) =>
          sampleSpan(attempt, { span_id: spanId(index), sequence_id: index + 1, name: `tab\t line\n \\N ${index}` }),
        );
        expect(await store.addSpans(spans)).toEqual(spans);
        expect((await store.addSpans(spans)).filter((span) => span !== null)).toEqual([]);
        const page = await store.querySpans({ rollout_id, limit: 2, offset: 1498 });
        expect(page).toMatchObject({ items: spans.slice(1498), total: 1500 });
      });

      it("are found by their parts, by all of them or by any", async () => {
        const { rollout_id, attempt } = await handedOut();
        const [a, b, c] = ["alpha", "beta", "alphabet"].map((name, index) =>
          sampleSpan(attempt, {
            span_id: spanId(index),
            sequence_id: 3 - index,
            name,
            parent_id: index ? spanId(0) : null,
          }),
        );
        await store.addSpans([a, b, c].filter((span) => span !== undefined));
        const found = async (query: object) =>
          (await store.querySpans({ rollout_id, ...query })).items.map(({ name }) => name);
        expect(await found({})).toEqual(["alphabet", "beta", "alpha"]);
        expect(await found({ name_contains: "alpha", parent_id: spanId(0) })).toEqual(["alphabet"]);
        expect(await found({ name: "beta", span_id: spanId(0), filter_logic: "or" })).toEqual(["beta", "alpha"]);
        expect(await found({ sort_by: "name", sort_order: "desc", limit: 2 })).toEqual(["beta", "alphabet"]);
        expect(await found({ attempt_id: "latest", sort_by: null })).toHaveLength(3);
        for (const sort_by of ["start_time", "end_time", "trace_id", "parent_id", "rollout_id", "attempt_id"]) {
          expect(await found({ sort_by })).toHaveLength(3);
        }
        expect(await found({ attempt_id: "at-other" })).toEqual([]);
      });

      it("are counted strictly upwards, also past those that brought their own count", async () => {
        const { rollout_id, attempt } = await handedOut();
        const { attempt_id } = attempt;
        expect(await store.getNextSpanSequenceId(rollout_id, attempt_id)).toBe(1);
        await store.addSpan(sampleSpan(attempt, { sequence_id: 41 }));
        const owner = { rollout_id, attempt_id };
        const other = { rollout_id: "ro-other", attempt_id };
        expect(await store.getNextSpanSequenceIds([owner, other, owner])).toEqual([42, 1, 43]);
        const many = await Promise.all(
          Array.from({ length: 20 }, () => store.getNextSpanSequenceId(rollout_id, attempt_id)),
        );
        expect(new Set(many).size).toBe(20);
      });
    });

    describe("lists", () => {
      it("of rollouts are filtered, sorted and cut", async () => {
        const queued = await store.enqueueRollouts([{ input: 1 }, { input: 2 }, { input: 3 }]);
        const [one = "", two = "", three = ""] = queued.map(({ rollout_id }) => rollout_id);
        await store.dequeueRollout();
        const ids = async (query: object) =>
          (await store.queryRollouts(query)).items.map(({ rollout_id }) => rollout_id);
        expect(await ids({})).toEqual([one, two, three]);
        expect(await ids({ status_in: ["queuing"], rollout_id_in: [one, three] })).toEqual([three]);
        expect(await ids({ status_in: ["preparing"], rollout_id_in: [three], filter_logic: "or" })).toEqual([
          one,
          three,
        ]);
        expect(await ids({ rollout_id_contains: two.slice(3) })).toEqual([two]);
        expect(await ids({ status_in: [] })).toEqual([]);
        expect(await ids({ sort_by: "rollout_id", sort_order: "desc" })).toEqual([one, two, three].sort().reverse());
        const page = await store.queryRollouts({ limit: 1, offset: 1 });
        expect(page).toMatchObject({ items: [queued[1]], limit: 1, offset: 1, total: 3 });
        expect((await store.queryRollouts({ status_in: ["preparing"] })).items[0]).toHaveProperty("attempt");
      });

      it.each([{ limit: 0 }, { offset: -1 }, { sort_by: "no_such_field" }])("refuse %j", async (query) => {
        await expect(store.queryRollouts(query)).rejects.toBeInstanceOf(BadValueError);
        await expect(store.queryWorkers(query)).rejects.toBeInstanceOf(BadValueError);
        await expect(store.queryResources(query)).rejects.toBeInstanceOf(BadValueError);
        await expect(store.querySpans({ rollout_id: "ro-1", ...query })).rejects.toBeInstanceOf(BadValueError);
        await expect(store.queryAttempts("ro-1", query)).rejects.toBeInstanceOf(BadValueError);
      });

      it("of workers say what each does", async () => {
        await store.updateWorker("w2", { heartbeat_stats: { cpu: 0.5 } });
        seconds += 1;
        expect(await store.updateWorker("w2")).toMatchObject({
          heartbeat_stats: { cpu: 0.5 },
          last_heartbeat_time: seconds,
        });
        await store.dequeueRollout("w1");
        const workers = await store.queryWorkers({ sort_by: "worker_id" });
        expect(workers.items.map(({ worker_id, status }) => [worker_id, status])).toEqual([
          ["w1", "idle"],
          ["w2", "unknown"],
        ]);
        expect((await store.queryWorkers({ status_in: ["idle"], worker_id_contains: "2" })).total).toBe(0);
      });
    });

    it("resources have versions, and the one that changed last is the latest", async () => {
      const one = await store.addResources({ llm: { resource_type: "llm", endpoint: "http://a", model: "m" } });
      expect(one).toMatchObject({
        version: 1,
        create_time: seconds,
        resources_id: expect.stringMatching(/^rs-[0-9a-f]{12}$/),
      });
      const two = await store.updateResources("own", { p: { resource_type: "prompt_template", template: "{x}" } });
      expect(await store.getLatestResources()).toEqual(two);
      seconds += 1;
      const newer = await store.updateResources(one.resources_id, {});
      expect(newer).toEqual({ ...one, version: 2, update_time: seconds, resources: {} });
      expect(await store.getLatestResources()).toEqual(newer);
      expect(await store.getResourcesById("own")).toEqual(two);
      expect((await store.queryResources()).items).toEqual([newer, two]);
      expect((await store.queryResources({ resources_id_contains: "rs-" })).items).toEqual([newer]);
    });

    it("waiting ends when all have ended, or in time with those that have", async () => {
      const [one, two] = [await handedOut(), await handedOut()];
      const ids = [two.rollout_id, one.rollout_id, "ro-none"];
      expect(await store.waitForRollouts(ids, { timeoutSeconds: 0 })).toEqual([]);
      await store.updateAttempt(one.rollout_id, "latest", { status: "succeeded" });
      expect(await store.waitForRollouts(ids, { timeoutSeconds: 0.02 })).toMatchObject([
        { rollout_id: one.rollout_id },
      ]);
      const waiting = store.waitForRollouts(ids);
      await store.updateAttempt(two.rollout_id, "latest", { status: "failed" });
      expect((await waiting).map(({ rollout_id }) => rollout_id)).toEqual([two.rollout_id, one.rollout_id]);
    });

    it("statistics count everything, and a training run's episodes are rollouts to read", async () => {
      await store.beginRun({ id: "run-1", config: {} });
      await store.storeBatch(sampleBatch(new Recorder(1)));
      const { attempt } = await handedOut();
      await store.addSpan(sampleSpan(attempt));
      await store.addResources({});
      const counts = { total_rollouts: 3, total_attempts: 3, total_spans: 8, total_resources: 1, total_workers: 1 };
      expect(await store.statistics()).toMatchObject({
        ...counts,
        name: expect.any(String),
        uptime: expect.any(Number),
      });
      const ended = await store.queryRollouts({ status_in: ["succeeded"] });
      expect(ended.items).toMatchObject([
        { mode: "train", status: "succeeded", metadata: { run: "run-1", episode: "train-0-0-0", reward: 1 } },
        { mode: "train", status: "succeeded", metadata: { episode: "train-0-0-1", cost: 50, advantage: -1.5 } },
      ]);
      const rollout_id = ended.items[1]?.rollout_id ?? "";
      expect(await store.getRollout(rollout_id)).toEqual(ended.items[1]);
      expect((await store.queryAttempts(rollout_id)).items).toEqual([await store.getLatestAttempt(rollout_id)]);
      const spans = await store.querySpans({ rollout_id, limit: 1, offset: 1 });
      expect(spans).toMatchObject({ items: [{ rollout_id, name: "execute_tool sql.query" }], total: 4 });
      await expect(store.updateRollout(rollout_id, { status: "queuing" })).rejects.toThrow(/cannot be changed/);
    });
  });
}
