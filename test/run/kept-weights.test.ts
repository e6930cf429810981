import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { loadCheckpoint } from "../../src/model/checkpoint.ts";
import { weightsDigest } from "../../src/run/weights-digest.ts";
import { openStore } from "../../src/store/open.ts";
import { runChatter, storedRun } from "./chatter.ts";

it("each checkpoint of a run is a resource of its store, named by the rollouts that it acted in", async () => {
  const { out } = await runChatter({ train: { checkpointEvery: 1 } });
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const { config } = (await storedRun(out)) as { readonly config: { readonly model: { readonly checkpoint: string } } };
  const folders = [config.model.checkpoint, join(out, "checkpoints/1"), join(out, "checkpoints/2")];
  const { items } = await store.queryResources();
  expect(items).toMatchObject(
    folders.map((folder, iteration) => ({
      ...{ resources_id: `run:weights:${iteration}`, version: 1 },
      resources: {
        weights: {
          ...{ resource_type: "llm", endpoint: pathToFileURL(folder).href, model: `run@${iteration}`, iteration },
          sha256: weightsDigest(loadCheckpoint(folder).weights),
        },
      },
    })),
  );
  expect(await store.getLatestResources()).toBeNull();
  const rollouts = (await store.queryRollouts()).items;
  expect(rollouts.length).toBeGreaterThan(10);
  for (const { resources_id, metadata } of rollouts) expect(resources_id).toBe(`run:weights:${metadata?.weights}`);
  expect(new Set(rollouts.map(({ resources_id }) => resources_id)).size).toBe(3);
});
