import { beforeEach, describe, expect, it } from "vitest";
import { FaradayError } from "../../src/core/errors.ts";
import type { KeptWeights } from "../../src/store/kept-weights.ts";
import type { LightningStore } from "../../src/store/lightning-store.ts";
import type { RolloutQueue } from "../../src/store/rollout-queue.ts";
import { BadValueError } from "../../src/store/store-errors.ts";
import { Recorder } from "./recorder.ts";
import { sampleBatch, sampleWeights } from "./samples.ts";

/** A place for one store, new for every test. */
export interface WeightsPlace extends AsyncDisposable {
  open(): Promise<LightningStore & RolloutQueue>;
}

const prompt = { hello: { resource_type: "prompt_template", template: "Hello {name}", engine: "f-string" } };

/** What holds of weights as resources, on every backend. */
export function weightsContract(name: string, newPlace: () => Promise<WeightsPlace>): void {
  describe(`${name} keeps weights of training runs as resources`, () => {
    let store: LightningStore & RolloutQueue;

    beforeEach(async () => {
      const place = await newPlace();
      store = await place.open();
      await store.beginRun({ id: "run-1", config: {} });
      return async () => {
        await store[Symbol.asyncDispose]();
        await place[Symbol.asyncDispose]();
      };
    });

    it("are read by their id and listed, in a form that clients of the reference know", async () => {
      await store.storeWeights(sampleWeights());
      const found = await store.getResourcesById("run-1:weights:2");
      expect(found).toMatchObject({ resources_id: "run-1:weights:2", version: 1 });
      expect(found?.resources).toEqual({
        weights: {
          ...{ resource_type: "llm", endpoint: "file:///runs/run-1/checkpoints/2", model: "run-1@2", api_key: null },
          sampling_parameters: {},
          ...{ run: "run-1", iteration: 2, sha256: "ab".repeat(32), parameters: 1000 },
        },
      });
      expect((await store.queryResources({ resources_id_contains: ":weights:" })).items).toEqual([found]);
      expect(await store.statistics()).toMatchObject({ total_resources: 1 });
    });

    it("never become the latest, which are what clients published", async () => {
      await store.storeWeights(sampleWeights());
      expect(await store.getLatestResources()).toBeNull();
      expect(await store.enqueueRollout({ input: 1 })).toMatchObject({ resources_id: null });
      const published = await store.addResources(prompt);
      await store.storeWeights(sampleWeights({ name: "3", iteration: 3 }));
      expect(await store.getLatestResources()).toEqual(published);
      expect(await store.enqueueRollout({ input: 2 })).toMatchObject({ resources_id: published.resources_id });
    });

    it("have another version where they are others, and none where they are the same", async () => {
      const best = (changes: Partial<KeptWeights> = {}) => sampleWeights({ name: "best", ...changes });
      await store.storeWeights(best());
      await store.storeWeights(best());
      expect(await store.getResourcesById("run-1:weights:best")).toMatchObject({ version: 1 });
      await store.storeWeights(best({ iteration: 7, sha256: "cd".repeat(32) }));
      expect(await store.getResourcesById("run-1:weights:best")).toMatchObject({
        version: 2,
        resources: { weights: { iteration: 7, sha256: "cd".repeat(32) } },
      });
    });

    it("are named by the rollouts that they acted in", async () => {
      await store.storeBatch(sampleBatch(new Recorder(1)));
      const ids = async () => (await store.queryRollouts()).items.map(({ resources_id }) => resources_id);
      expect(await ids()).toEqual([null, null]);
      await store.storeWeights(sampleWeights());
      expect(await ids()).toEqual(["run-1:weights:2", "run-1:weights:2"]);
      const { items } = await store.queryRollouts({ sort_by: "resources_id", limit: 1 });
      expect(await store.getRollout(items[0]?.rollout_id ?? "")).toMatchObject({ resources_id: "run-1:weights:2" });
    });

    it("are changed by nobody else, and take nobody's place", async () => {
      await store.storeWeights(sampleWeights());
      await expect(store.updateResources("run-1:weights:2", prompt)).rejects.toThrow(BadValueError);
      expect(await store.getLatestResources()).toBeNull();
      await store.updateResources("run-1:weights:4", prompt);
      const refusal = expect(store.storeWeights(sampleWeights({ name: "4", iteration: 4 }))).rejects;
      await refusal.toThrow(/run-1:weights:4 are there already/);
      await refusal.toBeInstanceOf(FaradayError);
      expect(await store.getLatestResources()).toMatchObject({ resources: prompt });
      await expect(store.storeWeights(sampleWeights({ run: "run-9" }))).rejects.toThrow(/run-9 is not in the store/);
    });
  });
}
