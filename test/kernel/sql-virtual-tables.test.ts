import { beforeAll, describe, it } from "vitest";
import { bootWorld, expectDenied, expectHarmless, type JudgeText } from "./sql-world.ts";

// Full-text and R-tree tables: their commands, their shadow tables, the tables whose content they index.

let judge: JudgeText;
beforeAll(async () => {
  judge = await bootWorld();
});

/** Each with the rule that must come first. */
const harmful: readonly (readonly [string, string])[] = [
  ["INSERT INTO ext(ext) VALUES('delete-all')", "DELETE"],
  ["INSERT INTO ext(ext, rowid, body) VALUES('delete', 1, 'hello')", "DELETE"],
  ["INSERT INTO cl(cl) VALUES('delete-all')", "DELETE"],
  ["INSERT INTO cl(cl, rowid, body) VALUES('delete', 1, 'alpha')", "DELETE"],
  ["INSERT INTO bare(bare) VALUES('delete-all')", "DELETE"],
  ["INSERT INTO bare(bare, rowid, body) VALUES('delete', 1, 'alpha')", "DELETE"],
  ["INSERT INTO cld(cld) VALUES('delete-all')", "DELETE"],
  ["DELETE FROM cld WHERE rowid=1", "DELETE"],
  ["REPLACE INTO cld(rowid, body) VALUES (1,'x')", "DELETE"],
  ["UPDATE OR REPLACE docs SET rowid=2 WHERE rowid=1", "DELETE"],
  ["DELETE FROM docs", "DELETE"],
  ["REPLACE INTO docs(rowid,body) VALUES(1,'x')", "DELETE"],
  ["DELETE FROM rt WHERE id=1", "DELETE"],
  ["REPLACE INTO rt VALUES(1,5,6)", "DELETE"],
  ["UPDATE OR REPLACE rt SET id=2 WHERE id=1", "DELETE"],
  ["DELETE FROM synced WHERE id=1", "DELETE"],
  ["REPLACE INTO synced VALUES (1,'three')", "DELETE"],
  ["SELECT token FROM extsec", "read secrets"],
  ["SELECT count(*) FROM extsec", "read secrets"],
  ["SELECT rowid FROM extsec WHERE extsec MATCH 'sesame'", "read secrets"],
  ["SELECT term FROM secvocab", "read secrets"],
  ["SELECT rowid FROM extsec WHERE extsec MATCH 'xyzzy'", "read secrets"],
  ["SELECT count(*) FROM extsec('sesame')", "read secrets"],
  ["SELECT highlight(extsec,0,'<','>') FROM extsec('sesame')", "read secrets"],
  ["SELECT snippet(ext,0,'','','',5), bm25(ext), rank FROM ext('hello'), secrets", "read secrets"],
  ["SELECT count(*) FROM extsec AS a JOIN extsec AS b USING (token)", "read secrets"],
  ["SELECT count(*) FROM extsec AS a NATURAL JOIN extsec AS b", "read secrets"],
];

const harmless: readonly string[] = [
  "INSERT INTO docs(docs) VALUES('rebuild')",
  "INSERT INTO docs(docs) VALUES('optimize')",
  "INSERT INTO docs(docs) VALUES('integrity-check')",
  "INSERT INTO docs(docs, rank) VALUES('merge', 500)",
  "INSERT INTO ext(ext) VALUES('rebuild')",
  "REPLACE INTO cld(rowid, body) VALUES (7,'x')",
  "INSERT INTO cld(rowid, body) VALUES (8,'x')",
  "UPDATE docs SET body='x' WHERE rowid=1",
  "UPDATE docs SET rowid=9 WHERE rowid=1",
  "REPLACE INTO docs(rowid,body) VALUES(11,'x')",
  "REPLACE INTO rt VALUES(10,5,6)",
  "UPDATE rt SET x0=-1 WHERE id=1",
  "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i+1 FROM n LIMIT 3000) INSERT INTO rt SELECT i,i,i+1 FROM n",
  "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i+1 FROM n LIMIT 2000) INSERT INTO docs SELECT 'word'||i FROM n",
  "UPDATE synced SET body='uno' WHERE id=1",
  "INSERT INTO synced VALUES (3,'three')",
  "SELECT term FROM vocab",
  "SELECT body FROM ext",
  "SELECT body AS data_version FROM docs WHERE docs MATCH 'hello'",
  "SELECT 'docs_config', 'docs_data', 'docs_content', * FROM docs",
  "SELECT rtreecheck('rt')",
  "SELECT snippet(ext,0,'','','',5), bm25(ext), rank FROM ext('hello')",
  "SELECT rank FROM docs WHERE docs MATCH 'hello' ORDER BY rank",
  "SELECT count(*) FROM docs AS a JOIN docs AS b USING (body)",
  "SELECT count(*) FROM docs NATURAL JOIN notes",
];

describe("virtual tables", () => {
  it.each(harmful)("that a grant lacks are denied and leave every byte as it was: %s", (sql, rule) => {
    expectDenied(judge(sql), rule);
  });

  it.each(harmless)("that only look like it do what bare SQLite does: %s", (sql) => {
    expectHarmless(judge(sql));
  });
});
