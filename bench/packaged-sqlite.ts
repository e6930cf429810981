import sqlite3InitModule from "@sqlite.org/sqlite-wasm";

/** SQLite's WebAssembly build as its package offers it to programs: `exec` of its object-oriented API, rows as arrays. */
export class PackagedSqlite {
  readonly #db: InstanceType<Awaited<ReturnType<typeof sqlite3InitModule>>["oo1"]["DB"]>;

  static async open(file: Uint8Array): Promise<PackagedSqlite> {
    return new PackagedSqlite(await sqlite3InitModule(), file);
  }

  private constructor(sqlite: Awaited<ReturnType<typeof sqlite3InitModule>>, file: Uint8Array) {
    this.#db = new sqlite.oo1.DB(":memory:");
    const at = sqlite.wasm.allocFromTypedArray(file);
    const flags = sqlite.capi.SQLITE_DESERIALIZE_FREEONCLOSE | sqlite.capi.SQLITE_DESERIALIZE_RESIZEABLE;
    const code = sqlite.capi.sqlite3_deserialize(this.#db, "main", at, file.length, file.length, flags);
    if (code !== sqlite.capi.SQLITE_OK) throw new Error(`packaged SQLite cannot open the database: code ${code}`);
  }

  query(sql: string): { readonly columns: readonly string[]; readonly rows: readonly unknown[] } {
    const columns: string[] = [];
    const rows = this.#db.exec({ sql, returnValue: "resultRows", rowMode: "array", columnNames: columns });
    return { columns, rows };
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
