/** The databases that a store can be in. */
export type Dialect = "sqlite" | "postgres";
