import { expect, it } from "vitest";
import type { RolloutQueue } from "../../src/store/rollout-queue.ts";
import { BadValueError } from "../../src/store/store-errors.ts";
import { sampleSpan } from "./queue-samples.ts";

/** What comes out of a queue as it went in, and once, however often it was sent. */
export function fidelityContract(queue: () => RolloutQueue): void {
  it("whole numbers that no double is come back to their last digit", async () => {
    const [input, metadata] = [JSON.rawJSON("-9007199254740993"), { ids: [JSON.rawJSON("12345678901234567891")] }];
    const { rollout_id } = await queue().startRollout({ input, metadata, worker_id: "w1" });
    expect(await queue().getRollout(rollout_id)).toMatchObject({ input, metadata });
    await queue().updateWorker("w1", { heartbeat_stats: metadata });
    expect(await queue().getWorker("w1")).toMatchObject({ heartbeat_stats: metadata });
  });

  it("spans keep fields that are nobody's, and whole numbers that no double is", async () => {
    const { rollout_id, attempt } = await queue().startRollout({ input: 1 });
    const big = JSON.rawJSON("9223372036854775807");
    const span = {
      ...sampleSpan(attempt, { attributes: { big, bigs: [1, big] } }),
      tenant: { id: big },
      note: null,
    };
    expect(await queue().addSpan(span)).toEqual(span);
    const { items } = await queue().querySpans({ rollout_id });
    expect(items).toEqual([span]);
    expect(JSON.stringify(items)).toContain('"bigs":[1,9223372036854775807]');
  });

  it("rollouts that are asked for again under one key are made once", async () => {
    const requests = [{ input: { task: 1 } }, { input: { task: 2 }, metadata: { k: "v" } }];
    const options = { idempotencyKey: "one" };
    const first = await queue().enqueueRollouts(requests, options);
    expect(await queue().enqueueRollouts(requests, options)).toEqual(first);
    const taken = await queue().dequeueRollout("w1");
    const [now] = await queue().enqueueRollouts(requests, options);
    expect(now).toMatchObject({ rollout_id: taken?.rollout_id, status: "preparing" });
    await queue().enqueueRollouts(requests, { idempotencyKey: "two" });
    await queue().enqueueRollouts(requests);
    await queue().enqueueRollouts(requests);
    expect((await queue().queryRollouts({ limit: 1 })).total).toBe(8);
    const started = await queue().startRollout({ input: 3, worker_id: "w2" }, { idempotencyKey: "three" });
    expect(await queue().startRollout({ input: 3, worker_id: "w2" }, { idempotencyKey: "three" })).toEqual(started);
    expect((await queue().queryAttempts(started.rollout_id)).total).toBe(1);
  });

  it("and so are those that are asked for twice at once", async () => {
    const requests = [{ input: 1 }, { input: 2 }];
    const asked = () => queue().enqueueRollouts(requests, { idempotencyKey: "one" });
    const [first, ...others] = await Promise.all([asked(), asked(), asked(), asked()]);
    expect(others).toEqual([first, first, first]);
    expect((await queue().queryRollouts()).total).toBe(2);
  });

  it("a key that stands for other rollouts is refused", async () => {
    await queue().enqueueRollouts([{ input: 1 }, { input: 2 }], { idempotencyKey: "one" });
    for (const inputs of [[1], [1, 3], [1, 2, 3]]) {
      const requests = inputs.map((input) => ({ input }));
      await expect(queue().enqueueRollouts(requests, { idempotencyKey: "one" })).rejects.toThrow(BadValueError);
    }
    await queue().enqueueRollout({ input: 1 }, { idempotencyKey: "two" });
    await expect(queue().startRollout({ input: 1 }, { idempotencyKey: "two" })).rejects.toThrow(BadValueError);
    expect((await queue().queryRollouts()).total).toBe(3);
  });
}
