/** A value that SQLite stores: NULL, INTEGER (bigint beyond 2^53), REAL, TEXT or BLOB. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** Rows of the last statement of a text that returned any. */
export interface ResultSet {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

/** What the `sql` driver returns for `sql.query`. */
export interface SqlResult extends ResultSet {
  /** Rows inserted, updated or deleted by the text, triggers and cascades included. */
  readonly rowsChanged: number;
}

/**
 * An environment's trusted look at the database of one episode. It passes no policy and leaves no trace;
 * agents never hold it.
 */
export interface SqlWorld {
  /** Digest of schema and rows, in a canonical order: equal digests are equal states, however they were reached. */
  digest(): string;
  /**
   * What trusted SQL returns, and the state it leaves, on a copy of the initial database. The live database is
   * untouched; the answer is memoised by text.
   * @throws {Error} with SQLite's message when the text fails.
   */
  rehearse(sql: string): { readonly result: ResultSet; readonly digest: string };
}
