import type { RolloutStatus, WorkerStatus } from "./rollout-record.ts";

/** What every list takes. */
export interface PageQuery {
  /** At most so many; −1, the default, is all. 0 and other negative numbers are refused. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  /** A field of the record; one that it does not have is refused. `null`, or absent where there is no default: order of adding. */
  readonly sort_by?: string | null | undefined;
  readonly sort_order?: "asc" | "desc" | undefined;
}

/** Filters that are absent or null take no part; the others must all hold, or one of them. */
export interface FilterQuery extends PageQuery {
  readonly filter_logic?: "and" | "or" | undefined;
}

export interface RolloutsQuery extends FilterQuery {
  readonly status_in?: readonly RolloutStatus[] | null | undefined;
  readonly rollout_id_in?: readonly string[] | null | undefined;
  readonly rollout_id_contains?: string | null | undefined;
}

export interface WorkersQuery extends FilterQuery {
  readonly status_in?: readonly WorkerStatus[] | null | undefined;
  readonly worker_id_contains?: string | null | undefined;
}

export interface ResourcesQuery extends PageQuery {
  readonly resources_id?: string | null | undefined;
  readonly resources_id_contains?: string | null | undefined;
}

/** `rollout_id` and `attempt_id` must hold whatever the logic of the others; `attempt_id` may be `latest`. Sorted by `sequence_id`. */
export interface SpansQuery extends FilterQuery {
  readonly rollout_id: string;
  readonly attempt_id?: string | null | undefined;
  readonly trace_id?: string | null | undefined;
  readonly trace_id_contains?: string | null | undefined;
  readonly span_id?: string | null | undefined;
  readonly span_id_contains?: string | null | undefined;
  readonly parent_id?: string | null | undefined;
  readonly parent_id_contains?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly name_contains?: string | null | undefined;
}

/** A part of a list; limit and offset as they were asked for. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly limit: number;
  readonly offset: number;
  /** How many there are without limit and offset. */
  readonly total: number;
}
