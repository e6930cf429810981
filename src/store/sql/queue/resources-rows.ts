import { type RawBuilder, sql } from "kysely";
import type { Page, ResourcesQuery } from "../../rollout-query.ts";
import type { NamedResources, ResourcesUpdate } from "../../rollout-record.ts";
import { BadValueError } from "../../store-errors.ts";
import type { Dialect } from "../dialect.ts";
import { firstOf, type Operation } from "../operation.ts";
import { statement } from "../statement.ts";
import type { QueueResourcesRow } from "../tables.ts";
import { newResourcesId } from "./ids.ts";
import { contains, equals, type Listing, pageOf } from "./page.ts";
import { resourcesOf } from "./records.ts";

export function* addResources(resources: NamedResources, now: number): Operation<ResourcesUpdate> {
  return yield* updateResources(newResourcesId(), resources, now);
}

/**
 * A new version of what has the id, or its first.
 * @throws {BadValueError} for weights of a training run, which nobody else changes.
 */
export function* updateResources(id: string, resources: NamedResources, now: number): Operation<ResourcesUpdate> {
  const change = (yield* firstOf(nextChange, {}))?.change ?? 1;
  const row = yield* firstOf(saveResources, { id, resources: JSON.stringify(resources), now, change });
  if (row === undefined) throw new BadValueError(`resources ${id} are weights of a training run and cannot be changed`);
  return resourcesOf(row);
}

export function* readResources(resourcesId: string): Operation<ResourcesUpdate | null> {
  const row = yield* firstOf(selectResources, { resourcesId });
  return row === undefined ? null : resourcesOf(row);
}

export function* readLatestResources(): Operation<ResourcesUpdate | null> {
  const row = yield* firstOf(selectLatest, {});
  return row === undefined ? null : resourcesOf(row);
}

export function* latestResourcesId(): Operation<string | null> {
  return (yield* firstOf(selectLatestId, {}))?.resources_id ?? null;
}

export function* queryResources(query: ResourcesQuery): Operation<Page<ResourcesUpdate>> {
  const { resources_id, resources_id_contains } = query;
  const filters = [...equals("resources_id", resources_id), ...contains("resources_id", resources_id_contains)];
  const page = yield* pageOf<QueueResourcesRow>(listing, query, { filters });
  return { ...page, items: page.items.map(resourcesOf) };
}

const listing: Listing = {
  from: sql`queue_resources`,
  select: sql`*`,
  sortable: { resources_id: "text", create_time: "number", update_time: "number", version: "number" },
  order: sql`key`,
};

const nextChange = statement()<{ change: number }>(({ db, dialect }) => ({
  compile: () => changes[dialect].compile(db),
}));
const changes: Readonly<Record<Dialect, RawBuilder<{ change: number }>>> = {
  sqlite: sql`SELECT coalesce(max(change), 0) + 1 AS change FROM queue_resources`,
  postgres: sql`SELECT nextval('queue_changes') AS change`,
};
const saveResources = statement<{ id: string; resources: string; now: number; change: number }>()(({ db, given }) =>
  db
    .insertInto("queue_resources")
    .values({
      ...{ resources_id: given.id, create_time: given.now, update_time: given.now, version: 1 },
      ...{ resources: given.resources, change: given.change },
    })
    .onConflict((conflict) =>
      conflict
        .column("resources_id")
        .doUpdateSet((eb) => ({
          resources: eb.ref("excluded.resources"),
          update_time: eb.ref("excluded.update_time"),
          version: eb("queue_resources.version", "+", 1),
          change: eb.ref("excluded.change"),
        }))
        .where("queue_resources.change", ">", 0),
    )
    .returningAll(),
);
const selectResources = statement<{ resourcesId: string }>()(({ db, given }) =>
  db.selectFrom("queue_resources").selectAll().where("resources_id", "=", given.resourcesId),
);
const selectLatest = statement()(({ db }) =>
  db.selectFrom("queue_resources").selectAll().where("change", ">", 0).orderBy("change", "desc").limit(1),
);
const selectLatestId = statement()(({ db }) =>
  db.selectFrom("queue_resources").select("resources_id").where("change", ">", 0).orderBy("change", "desc").limit(1),
);
