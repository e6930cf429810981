import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { plainQuery } from "../../src/run/plain-query.ts";

const script = `CREATE TABLE CITY (NAME TEXT, STATE TEXT, PEOPLE INT);
CREATE TABLE STATE (NAME TEXT, CAPITAL TEXT, AREA INT);
CREATE TABLE BORDER (STATE TEXT, OTHER TEXT);
INSERT INTO CITY VALUES ('Rome', 'north', 5), ('Troy', 'north', 7), ('Ur', 'south', 9), ('Nox', 'west', 1);
INSERT INTO STATE VALUES ('north', 'Rome', 3), ('south', 'Ur', 8), ('west', 'Nox', 2);
INSERT INTO BORDER VALUES ('north', 'south'), ('south', 'north'), ('south', 'west'), ('west', 'south');`;
const schema = new Map([
  ["city", new Set(["name", "state", "people"])],
  ["state", new Set(["name", "capital", "area"])],
  ["border", new Set(["state", "other"])],
]);

const queries: readonly (readonly [query: string, plain: string])[] = [
  ["SELECT c.NAME FROM CITY AS c WHERE c.STATE='North'", "select name from city where state='North'"],
  [
    "SELECT c0.NAME FROM CITY AS c0 WHERE c0.PEOPLE=(SELECT MAX(c1.PEOPLE) FROM CITY AS c1)",
    "select name from city where people=(select max(people) from city)",
  ],
  // Inside, STATE would be the inner table's column, and the alias of the outer one cannot be its name.
  [
    "SELECT c0.NAME FROM CITY c0 WHERE c0.PEOPLE>(SELECT AVG(c1.PEOPLE) FROM CITY c1 WHERE c1.STATE=c0.STATE)",
    "select name from city c0 where people>(select avg(people) from city where state=c0.state)",
  ],
  [
    "SELECT c.NAME,s.AREA FROM CITY AS c JOIN STATE AS s ON c.STATE=s.NAME WHERE s.AREA>2 ORDER BY c.NAME",
    "select city.name,area from city join state on state=state.name where area>2 order by city.name",
  ],
  [
    "SELECT a.OTHER FROM BORDER AS a,BORDER AS b WHERE b.OTHER=a.STATE AND b.STATE='west'",
    "select a.other from border as a,border as b where b.other=a.state and b.state='west'",
  ],
  [
    "SELECT t.n FROM(SELECT COUNT(1) AS n,b.STATE FROM BORDER AS b GROUP BY b.STATE) AS t WHERE t.n>1",
    "select n from(select count(1) as n,state from border group by state) where n>1",
  ],
  // The name that the query gives hides the column's.
  ["SELECT c.PEOPLE AS NAME FROM CITY c ORDER BY c.NAME", "select people as name from city order by city.name"],
  [
    "SELECT c.NAME FROM CITY c UNION SELECT s.NAME FROM STATE s ORDER BY 1",
    "select name from city union select name from state order by 1",
  ],
  ['SELECT "C".NAME FROM CITY AS "C" WHERE "C".STATE=\'A b.C\'', "select name from city where state='A b.C'"],
];

describe("a plainer query", () => {
  it.each(queries)("%s", (query, plain) => {
    expect(plainQuery(query, schema)).toBe(plain);
    const database = new DatabaseSync(":memory:");
    database.exec(script);
    const rows = (sql: string) =>
      database
        .prepare(sql)
        .all()
        .map((row) => Object.values(row));
    expect(rows(plain)).toEqual(rows(query));
  });

  it.each(["", "hello", "INSERT INTO CITY VALUES (1)", "SELECT a FROM (x"])(
    "is %s itself where it cannot be read",
    (query) => {
      expect(plainQuery(query, schema)).toBe(query);
    },
  );
});
