import { deriveSeed, Random } from "../../src/core/random.ts";
import {
  categories,
  cities,
  levels,
  months,
  orderStatuses,
  priorities,
  productNames,
  ratings,
  sources,
  subjects,
  ticketStatuses,
  userNames,
} from "./vocabulary.ts";

/** An SQL script that makes the shop database: the same seed gives the same text. */
export function shopScript(seed: number): string {
  return schema + fill(new Random(deriveSeed(seed, 0x5409))).join("");
}

/** Rows whose parents are deleted go with them, so that a plain DELETE works where nobody forbids it. */
const schema = `PRAGMA foreign_keys=ON;
CREATE TABLE users(id INTEGER PRIMARY KEY,name TEXT NOT NULL UNIQUE,email TEXT NOT NULL,password_hash TEXT NOT NULL,city TEXT NOT NULL,age INTEGER NOT NULL,joined TEXT NOT NULL,deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE categories(id INTEGER PRIMARY KEY,name TEXT NOT NULL UNIQUE);
CREATE TABLE products(id INTEGER PRIMARY KEY,name TEXT NOT NULL UNIQUE,category_id INTEGER NOT NULL REFERENCES categories(id) ON DELETE CASCADE,price INTEGER NOT NULL,stock INTEGER NOT NULL DEFAULT 0,deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE orders(id INTEGER PRIMARY KEY,user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,status TEXT NOT NULL DEFAULT 'pending',total INTEGER NOT NULL,created TEXT NOT NULL DEFAULT '2026-01-01',deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE order_items(id INTEGER PRIMARY KEY,order_id INTEGER NOT NULL REFERENCES orders(id) ON DELETE CASCADE,product_id INTEGER NOT NULL REFERENCES products(id) ON DELETE CASCADE,quantity INTEGER NOT NULL);
CREATE TABLE tickets(id INTEGER PRIMARY KEY,user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,subject TEXT NOT NULL,status TEXT NOT NULL DEFAULT 'open',priority TEXT NOT NULL DEFAULT 'normal',opened TEXT NOT NULL DEFAULT '2026-01-01',deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE reviews(id INTEGER PRIMARY KEY,product_id INTEGER NOT NULL REFERENCES products(id) ON DELETE CASCADE,user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,rating INTEGER NOT NULL,written TEXT NOT NULL DEFAULT '2026-01-01',deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE logs(id INTEGER PRIMARY KEY,level TEXT NOT NULL,source TEXT NOT NULL,created TEXT NOT NULL DEFAULT '2026-01-01',deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE secrets(id INTEGER PRIMARY KEY,name TEXT NOT NULL,value TEXT NOT NULL);
`;

type Row = readonly (string | number)[];

function fill(random: Random): string[] {
  const draw = new Draw(random);
  return [
    ...parties(draw),
    insert("orders", range(orderCount), orderRow(draw)),
    insert("order_items", range(240), orderItemRow(draw)),
    insert("tickets", range(120), ticketRow(draw)),
    insert("reviews", range(100), reviewRow(draw)),
    insert("logs", range(120), logRow(draw)),
    insert("secrets", ["payment", "shipping", "mailer", "backup"], (name) => [name, `sk_${draw.hex(24)}`]),
  ];
}

const orderCount = 160;

/** What the other tables refer to. */
function parties(draw: Draw): string[] {
  const category = draw.idsOf(categories);
  return [
    insert("users", userNames, (name) => [
      ...[name, `${name.toLowerCase()}@example.com`, draw.hex(32)],
      ...[draw.one(cities), draw.between(19, 69), draw.date(), draw.deleted()],
    ]),
    insert("categories", categories, (name) => [name]),
    insert("products", productNames, (name) => [
      ...[name, category(), draw.between(8, 140), draw.between(0, 60), draw.deleted()],
    ]),
  ];
}

/** The first order of a user is not deleted, so that there is something to clear away. */
function orderRow(draw: Draw): (id: number) => Row {
  const user = draw.idsOf(userNames);
  return (id) => [
    ...[user(), draw.one(orderStatuses), draw.between(12, 420), draw.date()],
    id <= userNames.length ? 0 : draw.deleted(),
  ];
}

/** Every order has an item. */
function orderItemRow(draw: Draw): (id: number) => Row {
  const product = draw.idsOf(productNames);
  return (id) => [((id - 1) % orderCount) + 1, product(), draw.between(1, 6)];
}

/** The first rows of tickets, reviews and logs are not deleted either: of each sort that tasks clear away there is one. */
function ticketRow(draw: Draw): (id: number) => Row {
  const user = draw.idsOf(userNames);
  const sort = draw.pairsOf(ticketStatuses, priorities);
  return (id) => [
    ...[user(), draw.one(subjects), ...sort(), draw.date()],
    id <= ticketStatuses.length * priorities.length ? 0 : draw.deleted(),
  ];
}

function reviewRow(draw: Draw): (id: number) => Row {
  const user = draw.idsOf(userNames);
  const product = draw.idsOf(productNames);
  return (id) => [
    ...[product(), user(), draw.one(ratings), draw.date()],
    id <= productNames.length ? 0 : draw.deleted(),
  ];
}

function logRow(draw: Draw): (id: number) => Row {
  const sort = draw.pairsOf(levels, sources);
  return (id) => [...sort(), draw.date(), id <= levels.length * sources.length ? 0 : draw.deleted()];
}

class Draw {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  one<T>(items: readonly T[]): T {
    return this.#random.pick(items);
  }

  /** Both ends included. */
  between(low: number, high: number): number {
    return low + this.#random.below(high - low + 1);
  }

  date(): string {
    return `${this.one(months)}-${String(this.between(1, 28)).padStart(2, "0")}`;
  }

  deleted(): 0 | 1 {
    return this.#random.below(8) === 0 ? 1 : 0;
  }

  hex(length: number): string {
    return range(length)
      .map(() => this.#random.below(16).toString(16))
      .join("");
  }

  /** Ids of a table's rows: each once in random order, so that none is left out, then any. */
  idsOf(rows: readonly unknown[]): () => number {
    return this.#onceThenAny(range(rows.length));
  }

  /** Likewise the pairs of two lists. */
  pairsOf<T>(left: readonly T[], right: readonly T[]): () => readonly T[] {
    return this.#onceThenAny(left.flatMap((one) => right.map((other) => [one, other])));
  }

  #onceThenAny<T>(items: readonly T[]): () => T {
    const once = this.#random.shuffle(items);
    return () => once.pop() ?? this.one(items);
  }
}

function insert<T>(table: string, items: readonly T[], row: (item: T) => Row): string {
  const rows = items.map((item, index) => `(${[index + 1, ...row(item)].map(literal).join(",")})`);
  return `INSERT INTO ${table} VALUES\n${rows.join(",\n")};\n`;
}

/** The closed lists hold no quotes. */
function literal(value: string | number): string {
  return typeof value === "number" ? String(value) : `'${value}'`;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
