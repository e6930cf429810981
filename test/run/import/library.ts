import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freshFolder } from "../chatter.ts";

export const libraryScript = `CREATE TABLE author (author_id INTEGER PRIMARY KEY, name TEXT, home TEXT);
CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, author_id INTEGER, pages INTEGER);
INSERT INTO author VALUES (1, 'ana de souza', 'porto alegre'), (2, 'bo lind', 'umea'), (3, 'cy o''neal', 'cork city');
INSERT INTO book VALUES (1, 'salt roads', 1, 210), (2, 'the long thaw', 2, 340), (3, 'peat', 3, 120);`;

export interface SpiderEntry {
  readonly db_id?: string;
  readonly question: string;
  readonly query: string;
  readonly split?: string;
  readonly sql?: unknown;
}

/** Twelve questions, all of which can be used. */
export const spiderEntries: readonly SpiderEntry[] = Array.from({ length: 12 }, (_, index) => ({
  db_id: "library",
  question: `Which books have more than ${100 + index} pages?`,
  query: `SELECT title FROM book WHERE pages  >  ${100 + index} ;`,
  sql: { select: [false, []] },
}));

/** A folder with `questions.<extension>` and `databases/library/library.sql`. */
export function dataset(
  text: string,
  extension = "json",
): { folder: string; file: string; databases: string; out: string } {
  const folder = freshFolder();
  const [file, databases] = [join(folder, `questions.${extension}`), join(folder, "databases")];
  mkdirSync(join(databases, "library"), { recursive: true });
  writeFileSync(join(databases, "library", "library.sql"), libraryScript);
  writeFileSync(file, text);
  return { folder, file, databases, out: join(folder, "out") };
}
