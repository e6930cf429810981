import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { FaradayError } from "../../src/core/errors.ts";
import { FlightRecorderAdapter } from "../../src/store/flight-recorder-adapter.ts";
import type { BatchRecord, LightningStore } from "../../src/store/lightning-store.ts";
import { Recorder } from "./recorder.ts";
import { deletion, inTree, sampleBatch, sampleEpisode } from "./samples.ts";

/** A place for one store, new for every test; opening it again finds what was stored before. */
export interface StorePlace extends AsyncDisposable {
  open(): Promise<LightningStore>;
}

/** What every backend of the central store guarantees. */
export function storeContract(name: string, newPlace: () => Promise<StorePlace>): void {
  describe(`${name} keeps the contract of LightningStore`, () => {
    let place: StorePlace;
    let store: LightningStore;
    let recorder: Recorder;

    beforeEach(async () => {
      place = await newPlace();
      store = await place.open();
      await store.beginRun({ id: "run-1", config: { train: { seed: 1 } } });
      recorder = new Recorder(1);
      return async () => {
        await store[Symbol.asyncDispose]();
        await place[Symbol.asyncDispose]();
      };
    });

    async function everything() {
      return {
        iterations: await store.iterations("run-1"),
        episodes: await store.episodes("run-1"),
        violations: await store.violations("run-1"),
        spans: await store.spans("run-1"),
        audit: await store.audit("run-1"),
        checkpoints: await store.checkpoints("run-1"),
      };
    }

    async function expectRefused(batch: BatchRecord, message: RegExp) {
      const before = await everything();
      const refusal = expect(store.storeBatch(batch)).rejects;
      await refusal.toThrow(message);
      await refusal.toBeInstanceOf(FaradayError);
      expect(await everything()).toEqual(before);
    }

    describe("runs", () => {
      it("are running until they end, and keep config and report", async () => {
        const [running] = await store.runs();
        expect(running).toMatchObject({ id: "run-1", status: "running", config: { train: { seed: 1 } }, report: null });
        expect(running?.endedAt).toBeNull();
        await store.endRun({ id: "run-1", status: "succeeded", report: { after: 0.95 } });
        const [ended] = await store.runs();
        expect(ended).toMatchObject({ status: "succeeded", report: { after: 0.95 } });
        expect(ended?.endedAt).toBeGreaterThanOrEqual(ended?.startedAt ?? Number.POSITIVE_INFINITY);
      });

      it("are begun once and ended once", async () => {
        await expect(store.beginRun({ id: "run-1", config: {} })).rejects.toThrow(/run-1 is already/);
        await store.endRun({ id: "run-1", status: "cancelled" });
        await expect(store.endRun({ id: "run-1", status: "succeeded" })).rejects.toThrow(/run-1 is not running/);
        await expect(store.endRun({ id: "run-2", status: "failed" })).rejects.toThrow(/run-2 is not in the store/);
      });

      it("that are resumed run again, and say from which epoch recorders may count", async () => {
        expect(await store.resumeRun("run-1")).toEqual({ epoch: 0 });
        await store.storeBatch(sampleBatch(new Recorder(3, 4)));
        await store.endRun({ id: "run-1", status: "cancelled" });
        expect(await store.resumeRun("run-1")).toEqual({ epoch: 5 });
        expect(await store.runs()).toMatchObject([{ status: "running", endedAt: null }]);
        await store.storeBatch(sampleBatch(new Recorder(3, 5), { iteration: 1, leaf: 12 }));
      });

      it("do not see each other's data", async () => {
        await store.beginRun({ id: "run-2", config: null });
        await store.storeBatch(sampleBatch(recorder));
        await store.storeBatch(sampleBatch(new Recorder(1), { run: "run-2" }));
        for (const run of ["run-1", "run-2"]) {
          expect(await store.episodes(run)).toHaveLength(2);
          expect(await store.violations(run)).toHaveLength(1);
          expect(await store.audit(run)).toHaveLength(1);
          expect(await store.spans(run)).toHaveLength(7);
        }
        await expect(store.episodes("run-3")).rejects.toThrow(/run-3 is not in the store/);
      });
    });

    describe("a stored batch", () => {
      it("comes back as it was, also after the store was opened again", async () => {
        const batch = sampleBatch(recorder);
        await store.storeBatch(batch);
        await store[Symbol.asyncDispose]();
        store = await place.open();
        const { phase, iteration, weights, metrics } = batch;
        expect(await store.iterations("run-1")).toEqual([
          { phase, iteration, weights, episodes: 2, metrics, storedAt: expect.any(Number) },
        ]);
        expect(await store.episodes("run-1")).toEqual(batch.episodes);
        expect(await store.checkpoints("run-1")).toEqual([{ ...batch.audit.checkpoint, phase, iteration }]);
        expect(await treeOf(store)).toEqual(batch.audit.segments.map((segment) => ({ ...segment, phase, iteration })));
      });

      it("keeps failed episodes, what the oracle saw, and the phases apart", async () => {
        const failed = sampleEpisode(
          { phase: "before" },
          {
            outcome: "failed",
            error: { boundary: "worker", message: "the worker died" },
            oracle: null,
            advantage: null,
            attempt: 2,
          },
        );
        const undetected = sampleEpisode(
          { phase: "ungoverned" },
          { oracle: [{ step: -1, description: "3 rows of users are gone" }] },
        );
        await store.storeBatch({ ...sampleBatch(recorder, { phase: "before" }), episodes: [failed] });
        await store.storeBatch({ ...sampleBatch(recorder, { phase: "ungoverned" }), episodes: [undetected] });
        await store.storeBatch(sampleBatch(recorder, { iteration: 4 }));
        expect(await store.episodes("run-1", "before")).toEqual([failed]);
        expect(await store.episodes("run-1", "ungoverned")).toEqual([undetected]);
        expect(await store.episodes("run-1", "eval")).toEqual([]);
        expect(await store.episodes("run-1", "train", 4)).toHaveLength(2);
        expect(await store.episodes("run-1", "train", 3)).toEqual([]);
        expect((await store.iterations("run-1")).map(({ phase }) => phase)).toEqual(["before", "ungoverned", "train"]);
      });

      it("says which statement of which episode violated which rule under which weights, at what cost", async () => {
        await store.storeBatch(sampleBatch(recorder));
        expect(await store.violations("run-1")).toEqual([
          {
            episode: "train-0-0-1",
            task: "count-users",
            phase: "train",
            iteration: 0,
            weights: 2,
            step: 1,
            statement: "DELETE FROM users",
            policy: "sql",
            rule: "DELETE",
            severity: "high",
            type: "BLOCKED",
            blocked: true,
            penalty: 50,
          },
        ]);
        await store.storeBatch(sampleBatch(recorder, { iteration: 1 }));
        expect(await store.violations("run-1", 1)).toMatchObject([{ iteration: 0 }]);
        expect(await store.violations("run-1")).toMatchObject([{ iteration: 0 }, { iteration: 1 }]);
      });

      it("keeps any text that an agent may write", async () => {
        let iteration = 0;
        const text = fc.string({ unit: "binary" });
        await fc.assert(
          fc.asyncProperty(text, text, async (statement, rule) => {
            const violations = [{ ...deletion, statement, rule }];
            const episode = sampleEpisode({ iteration }, { violations });
            await store.storeBatch({ ...sampleBatch(recorder, { iteration }), episodes: [episode] });
            expect((await store.violations("run-1")).at(-1)).toMatchObject({ statement, rule, iteration });
            expect((await store.episodes("run-1")).at(-1)).toEqual(episode);
            iteration++;
          }),
          { numRuns: 20 },
        );
      });
    });

    describe("a refused batch leaves nothing behind", () => {
      beforeEach(() => store.storeBatch(sampleBatch(recorder)));

      it("when it was stored before", async () => {
        await expectRefused({ ...sampleBatch(recorder), episodes: [] }, /batch train 0 of run run-1 is already/);
      });

      it("when one of its episodes was", async () => {
        const stored = sampleEpisode({ iteration: 1, index: 5 });
        const batch = { ...sampleBatch(recorder, { iteration: 1 }), episodes: [stored, stored] };
        await expectRefused(batch, /episode train-1-0-5 is already/);
      });

      it("when an episode belongs to another", async () => {
        const batch = { ...sampleBatch(recorder, { iteration: 1 }), episodes: [sampleEpisode({ iteration: 2 })] };
        await expectRefused(batch, /train-2-0-0 belongs to train 2, not to batch train 1/);
      });

      it("when its run was never begun", async () => {
        await expectRefused(sampleBatch(recorder, { run: "run-9" }), /run-9 is not in the store/);
      });

      it.each([
        ["a reward", { reward: Number.NaN }],
        ["a cost", { cost: -1 }],
        ["an advantage", { advantage: Number.NaN }],
      ])("when %s is not a number that it can be", async (_name, change) => {
        const episodes = [sampleEpisode({ iteration: 1 }), sampleEpisode({ iteration: 1, index: 1 }, change)];
        await expectRefused({ ...sampleBatch(recorder, { iteration: 1 }), episodes }, /./);
      });

      it("when a metric is not a number", async () => {
        const batch = { ...sampleBatch(recorder, { iteration: 1 }), metrics: { loss: Number.NaN } };
        await expectRefused(batch, /metric loss .* must be finite, got NaN/);
      });

      it("when a recorder's sequence has a gap", async () => {
        recorder.episode("lost", []);
        recorder.seal();
        await expectRefused(
          sampleBatch(recorder, { iteration: 1, leaf: 12 }),
          /worker 1, epoch 0 from 14 leaves a gap.* from 12/,
        );
      });

      it("when the first segment of a recorder is missing", async () => {
        const other = new Recorder(2);
        other.episode("lost", []);
        other.seal();
        await expectRefused(
          sampleBatch(other, { iteration: 1, leaf: 12 }),
          /worker 2, epoch 0 from 2 leaves a gap.* from 0/,
        );
      });

      it("when a recorder's sequence overlaps what is stored", async () => {
        await expectRefused(sampleBatch(new Recorder(1), { iteration: 1, leaf: 12 }), /from 0 overlaps .* from 12/);
      });

      it.each([
        ["leaves a hole in", 13],
        ["overlaps", 11],
      ])("when it %s the tree", async (_name, leaf) => {
        await expectRefused(
          sampleBatch(recorder, { iteration: 1, leaf }),
          new RegExp(`from 12 must be leaf 12 of the run's tree, got ${leaf}`),
        );
      });

      it("when the signed tree is not the one that it leaves", async () => {
        const batch = sampleBatch(recorder, { iteration: 1 });
        const checkpoint = { ...batch.audit.checkpoint, size: 23 };
        await expectRefused(
          { ...batch, audit: { ...batch.audit, checkpoint } },
          /signed tree must have the 24 records that are stored, got 23/,
        );
      });

      it("when a segment is not what it says of itself", async () => {
        const batch = sampleBatch(recorder, { iteration: 1 });
        const [segment] = batch.audit.segments;
        if (segment === undefined) throw new Error("the sample has a segment");
        const cut = segment.bytes.slice(0, segment.bytes.lastIndexOf(10, -2) + 1);
        await expectRefused({ ...batch, audit: inTree([{ ...segment, bytes: cut }]) }, /must hold 12 records, got 11/);
        const torn = segment.bytes.slice(0, -3);
        await expectRefused({ ...batch, audit: inTree([{ ...segment, bytes: torn }]) }, /is not JSON/);
        const [earlier] = sampleBatch(new Recorder(1), { iteration: 1 }).audit.segments;
        const replayed = { ...segment, bytes: earlier?.bytes ?? new Uint8Array() };
        await expectRefused({ ...batch, audit: inTree([replayed]) }, /must hold record 12 in its place/);
      });

      it("and the same store takes the corrected batch", async () => {
        const batch = sampleBatch(recorder, { iteration: 1 });
        await expectRefused({ ...batch, metrics: { loss: Number.POSITIVE_INFINITY } }, /metric loss/);
        await store.storeBatch(batch);
        expect(await store.iterations("run-1")).toHaveLength(2);
      });
    });

    describe("the audit", () => {
      it("merges the recorders of all workers and epochs, in order, byte for byte", async () => {
        const recorders = [new Recorder(2, 1), new Recorder(2), new Recorder(1)];
        for (const [index, each] of recorders.entries()) each.episode(`train-0-0-${index}`, [[]]);
        const segments = recorders.map((each) => each.seal());
        await store.storeBatch({ ...sampleBatch(recorder), episodes: [], audit: inTree(segments, 0) });
        expect(await store.audit("run-1")).toEqual(segments.toReversed());
      });

      it("is read back in the order of its tree, each segment with its batch", async () => {
        const recorders = [new Recorder(2), new Recorder(1)];
        const segmentsOf = (iteration: number) =>
          recorders.map((each) => {
            each.episode(`train-${iteration}-0-${each === recorders[0] ? 0 : 1}`, [[]]);
            return each.seal();
          });
        const batches = [inTree(segmentsOf(0), 0), inTree(segmentsOf(1), 8)];
        for (const [iteration, audit] of batches.entries())
          await store.storeBatch({ ...sampleBatch(new Recorder(9), { iteration }), episodes: [], audit });
        const stored = batches.flatMap(({ segments }, iteration) =>
          segments.map((segment) => ({ ...segment, phase: "train", iteration })),
        );
        expect(await treeOf(store)).toEqual(stored);
        expect((await store.checkpoints("run-1")).map(({ size, iteration }) => ({ size, iteration }))).toEqual([
          { size: 8, iteration: 0 },
          { size: 16, iteration: 1 },
        ]);
        expect(await treeOf(store, "run-1", 1)).toHaveLength(1);
        await expect(treeOf(store, "run-9")).rejects.toThrow(/run-9 is not in the store/);
      });
    });

    describe("spans", () => {
      it("of a batch are stored with it", async () => {
        await store.storeBatch(sampleBatch(recorder));
        const spans = await store.spans("run-1", "train-0-0-1");
        expect(spans.map(({ name }) => name)).toEqual([
          "invoke_agent",
          "execute_tool sql.query",
          "execute_tool sql.query",
          "agent_os.violation",
        ]);
      });

      it("of violations are left out where the batch says so", async () => {
        await store.storeBatch(sampleBatch(recorder, { emitViolations: false }));
        expect((await store.spans("run-1")).map(({ name }) => name)).not.toContain("agent_os.violation");
      });

      it("are imported from a flight recorder exactly once", async () => {
        const { audit } = sampleBatch(recorder);
        const { segments } = audit;
        const adapter = new FlightRecorderAdapter({ run: "run-1", segments });
        expect(await adapter.importToStore(store)).toBe(7);
        const spans = await store.spans("run-1");
        expect(await adapter.importToStore(store)).toBe(0);
        expect(await new FlightRecorderAdapter({ run: "run-1", segments }).importToStore(store)).toBe(0);
        expect(await store.spans("run-1")).toEqual(spans);
      });

      it("are the same whether batch or adapter stored them, and never twice", async () => {
        const batch = sampleBatch(recorder);
        const adapter = new FlightRecorderAdapter({ run: "run-1", segments: batch.audit.segments });
        await store.storeBatch(batch);
        const spans = await store.spans("run-1");
        expect(await adapter.importToStore(store)).toBe(0);
        expect(await store.spans("run-1")).toEqual(spans);
        expect(await store.spanCount("run-1")).toBe(spans.length);
      });

      it("with ids that are not OpenTelemetry's are refused, and none of their import is stored", async () => {
        await store.storeBatch(sampleBatch(recorder));
        const [span] = await store.spans("run-1");
        if (span === undefined) throw new Error("the batch has spans");
        for (const spanId of ["0000000000000000", "ABCDEF0123456789", "abc"]) {
          const fresh = { ...span, spanId: "00000000000000aa" };
          await expect(store.importSpans("run-1", [fresh, { ...span, spanId }])).rejects.toThrow(/OpenTelemetry ids/);
        }
        expect(await store.spans("run-1")).toHaveLength(7);
        await expect(store.importSpans("run-9", [])).rejects.toThrow(/run-9 is not in the store/);
      });
    });

    it("two openers of one store write in turn and see each other's batches", async () => {
      await using other = await place.open();
      await other.beginRun({ id: "run-2", config: {} });
      await store.storeBatch(sampleBatch(recorder));
      await other.storeBatch(sampleBatch(new Recorder(1), { run: "run-2" }));
      await other.storeBatch(sampleBatch(recorder, { iteration: 1 }));
      expect(await store.iterations("run-1")).toHaveLength(2);
      expect(await store.iterations("run-2")).toHaveLength(1);
    });

    it("a closed store says so, and closing it twice is harmless", async () => {
      await store[Symbol.asyncDispose]();
      await expect(store.storeBatch(sampleBatch(recorder))).rejects.toBeInstanceOf(FaradayError);
      await expect(store.runs()).rejects.toBeInstanceOf(FaradayError);
    });
  });
}

/** Segments in the order of the tree; the first `count` of them. */
async function treeOf(store: LightningStore, run = "run-1", count = Number.POSITIVE_INFINITY) {
  const segments: unknown[] = [];
  for await (const segment of store.auditTree(run)) if (segments.push(segment) >= count) break;
  return segments;
}
