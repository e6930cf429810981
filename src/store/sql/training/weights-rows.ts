import { FaradayError } from "../../../core/errors.ts";
import { type KeptWeights, runOfWeights, weightsId, weightsResources } from "../../kept-weights.ts";
import { change, firstOf, type Operation, rowsOf } from "../operation.ts";
import { statement } from "../statement.ts";
import { lockRun } from "./run-rows.ts";

// Weights of runs as resources of the queue. They are no change of what clients published, so that 0 is theirs: the latest resources stay
// what they were, and nobody but the run changes them.

/** Their first version, or the next one; where they are what they were, nothing. */
export function* writeWeights(weights: KeptWeights, now: number): Operation<void> {
  yield* lockRun(weights.run);
  const id = weightsId(weights.run, weights.name);
  const resources = JSON.stringify(weightsResources(weights));
  const before = yield* firstOf(selectResources, { id });
  if (before?.resources === resources) return;
  const written = yield* change(saveWeights, { id, resources, now });
  if (written === 0) throw new FaradayError(`resources ${id} are there already, and no weights of run ${weights.run}`);
}

/** Of runs that are removed. */
export function* removeWeights(runs: ReadonlySet<string>): Operation<void> {
  for (const { key, resources_id } of yield* rowsOf(selectWeights, {})) {
    if (runs.has(runOfWeights(resources_id))) yield* change(deleteResources, { key });
  }
}

const selectResources = statement<{ id: string }>()(({ db, given }) =>
  db.selectFrom("queue_resources").select("resources").where("resources_id", "=", given.id).where("change", "=", 0),
);
const saveWeights = statement<{ id: string; resources: string; now: number }>()(({ db, given }) =>
  db
    .insertInto("queue_resources")
    .values({
      ...{ resources_id: given.id, create_time: given.now, update_time: given.now, version: 1 },
      ...{ resources: given.resources, change: 0 },
    })
    .onConflict((conflict) =>
      conflict
        .column("resources_id")
        .doUpdateSet((eb) => ({
          resources: eb.ref("excluded.resources"),
          update_time: eb.ref("excluded.update_time"),
          version: eb("queue_resources.version", "+", 1),
        }))
        .where("queue_resources.change", "=", 0),
    ),
);
const selectWeights = statement()(({ db }) =>
  db.selectFrom("queue_resources").select(["key", "resources_id"]).where("change", "=", 0),
);
const deleteResources = statement<{ key: number }>()(({ db, given }) =>
  db.deleteFrom("queue_resources").where("key", "=", given.key),
);
