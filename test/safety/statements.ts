import fc from "fast-check";

/** Tables of the library with some of their columns. */
const tables: Readonly<Record<string, readonly string[]>> = {
  members: ["id", "name", "city", "email", "pin", "sponsor"],
  books: ["id", "title", "author", "year", "price", "title_key"],
  copies: ["id", "book_id", "shelf"],
  loans: ["id", "copy_id", "member_id", "due", "returned"],
  fines: ["id", "loan_id", "amount", "paid"],
  settings: ["key", "value"],
  tags: ["name", "uses"],
  shelves: ["code", "floor", "capacity"],
  staff: ["id", "name", "role", "salary", "badge", "grade"],
  secrets: ["id", "name", "token"],
  audit: ["id", "what"],
  wishes: ["id", "member_id", "title", "votes"],
  archive: ["id", "body"],
  sealed: ["id", "body"],
  inbox: ["id", "body"],
  passes: ["id", "badge", "note"],
  vault: ["name", "token"],
  payroll: ["role", "total"],
  roster: ["name", "role"],
  desk_loans: ["id", "copy_id", "member_id", "due"],
  notes: ["title", "body"],
  vault_search: ["token"],
};
const tableName = fc.constantFrom(...Object.keys(tables));
const literal = fc.constantFrom(
  "1",
  "2",
  "0",
  "-1",
  "NULL",
  "'x'",
  "'London'",
  "'theme'",
  "'purge'",
  "'sf'",
  "3.5",
  "'2025-01-01'",
  "'drop'",
);
const columnOf = (table: string) => fc.constantFrom(...(tables[table] ?? ["id"]));

/** A value that may look into another table. */
const value = (table: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: literal },
    { weight: 4, arbitrary: columnOf(table) },
    {
      weight: 1,
      arbitrary: tableName.chain((other) => columnOf(other).map((column) => `(SELECT max(${column}) FROM ${other})`)),
    },
    { weight: 1, arbitrary: tableName.map((other) => `(SELECT count(*) FROM ${other})`) },
    { weight: 1, arbitrary: columnOf(table).map((column) => `coalesce(${column}, 'none')`) },
  );

const condition = (table: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc
      .tuple(value(table), fc.constantFrom("=", "<", ">", "<>", "IS", "LIKE"), value(table))
      .map((parts) => parts.join(" ")),
    columnOf(table).map((column) => `${column} IS NOT NULL`),
    tableName.chain((other) => columnOf(other).map((column) => `EXISTS (SELECT 1 FROM ${other} WHERE ${column} = 1)`)),
    fc.constantFrom("1", "0"),
  );

const where = (table: string) =>
  fc.oneof(
    fc.constant(""),
    condition(table).map((text) => ` WHERE ${text}`),
  );

const select: fc.Arbitrary<string> = tableName.chain((table) =>
  fc
    .record({
      columns: fc.oneof(
        fc.array(value(table), { minLength: 1, maxLength: 3 }).map((list) => list.join(", ")),
        fc.constantFrom("*", "count(*)"),
      ),
      where: where(table),
      end: fc.oneof(
        fc.constant(""),
        columnOf(table).map((column) => ` ORDER BY ${column}`),
        columnOf(table).map((column) => ` GROUP BY ${column}`),
      ),
    })
    .map(({ columns, where: filter, end }) => `SELECT ${columns} FROM ${table}${filter}${end}`),
);

const join: fc.Arbitrary<string> = fc.tuple(tableName, tableName).chain(([left, right]) =>
  fc
    .record({ column: columnOf(left), other: columnOf(right), how: fc.constantFrom("ON", "USING", "NATURAL") })
    .map(({ column, other, how }) => {
      if (how === "NATURAL") return `SELECT count(*) FROM ${left} AS a NATURAL JOIN ${right} AS b`;
      return `SELECT count(*) FROM ${left} AS a JOIN ${right} AS b ${how === "USING" ? `USING (${column})` : `ON a.${column} = b.${other}`}`;
    }),
);

const write: fc.Arbitrary<string> = tableName.chain((table) => {
  const columns = fc.subarray([...(tables[table] ?? [])], { minLength: 1 });
  const insert = fc
    .record({
      verb: fc.constantFrom("INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE", "REPLACE"),
      columns,
      values: fc.array(
        fc.oneof(
          literal,
          literal,
          tableName.map((other) => `(SELECT count(*) FROM ${other})`),
        ),
        { minLength: 6, maxLength: 6 },
      ),
      end: fc.constantFrom("", "", " ON CONFLICT DO NOTHING", " RETURNING *"),
    })
    .map(
      (parts) =>
        `${parts.verb} INTO ${table} (${parts.columns}) VALUES (${parts.values.slice(0, parts.columns.length)})${parts.verb === "INSERT" ? parts.end : ""}`,
    );
  const copy = select.map((query) => `INSERT INTO ${table} (${tables[table]?.[1] ?? "title"}) ${query}`);
  const update = fc
    .record({
      verb: fc.constantFrom("UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"),
      column: columnOf(table),
      to: value(table),
      where: where(table),
    })
    .map((parts) => `${parts.verb} ${table} SET ${parts.column} = ${parts.to}${parts.where}`);
  const remove = where(table).map((filter) => `DELETE FROM ${table}${filter}`);
  return fc.oneof(
    { weight: 4, arbitrary: insert },
    { weight: 3, arbitrary: update },
    { weight: 2, arbitrary: remove },
    { weight: 1, arbitrary: copy },
  );
});

const definition: fc.Arbitrary<string> = tableName.chain((table) =>
  fc.constantFrom(
    ...[`DROP TABLE ${table}`, `CREATE TABLE more AS SELECT * FROM ${table}`, `ALTER TABLE ${table} ADD COLUMN extra`],
    ...[
      `CREATE VIEW seen AS SELECT * FROM ${table}`,
      `CREATE INDEX fast ON ${table} (${tables[table]?.[0]})`,
      "ANALYZE",
      "BEGIN",
    ],
    ...["PRAGMA foreign_keys = OFF", "PRAGMA table_info(books)", "CREATE TEMP TABLE mine (x)"],
  ),
);

const compound: fc.Arbitrary<string> = fc
  .tuple(select, select)
  .map(([first, second]) => `WITH a AS (${first}) SELECT (SELECT count(*) FROM a), b.* FROM (${second}) AS b`);

/** Random statements over the library, most of which compile. */
export const statement: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: select },
  { weight: 4, arbitrary: join },
  { weight: 9, arbitrary: write },
  { weight: 2, arbitrary: definition },
  { weight: 2, arbitrary: compound },
  { weight: 2, arbitrary: fc.tuple(write, select).map((texts) => texts.join("; ")) },
);
