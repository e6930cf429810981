import { ids, levels, months, orderStatuses } from "../vocabulary.ts";
import type { Family } from "./template.ts";

const events = [
  { table: "orders", column: "created" },
  { table: "users", column: "joined" },
  { table: "tickets", column: "opened" },
  { table: "reviews", column: "written" },
  { table: "logs", column: "created" },
];

const sides = [
  { word: "before", sign: "<" },
  { word: "since", sign: ">=" },
];

/** Not at the ends, so that both sides hold rows. */
const innerMonths = months.slice(4, 20);

export const dates: Family = {
  kind: "dates",
  count: 480,
  patterns: [
    {
      slots: { event: events, month: months },
      wordings: [
        "How many {event.table} were {event.column} in {month}?",
        "Count the {event.table} {event.column} in {month}.",
        "In {month}, how many {event.table} were {event.column}?",
        "Number of {event.table} {event.column} during {month}?",
        "For {month}, count {event.table} that were {event.column} then.",
      ],
      sql: "SELECT COUNT(*) FROM {event.table} WHERE {event.column} LIKE '{month}%'",
    },
    {
      slots: { event: events, side: sides, month: innerMonths },
      wordings: [
        "How many {event.table} were {event.column} {side.word} {month}?",
        "Count the {event.table} {event.column} {side.word} {month}.",
        "Number of {event.table} {event.column} {side.word} {month}?",
        "Tell me how many {event.table} were {event.column} {side.word} {month}.",
      ],
      sql: "SELECT COUNT(*) FROM {event.table} WHERE {event.column}{side.sign}'{month}'",
    },
    {
      slots: { side: sides, month: innerMonths, status: orderStatuses },
      wordings: [
        "Give me the ids of {status} orders created {side.word} {month}.",
        "Which order ids are {status} and were created {side.word} {month}?",
        "List the ids of orders from {side.word} {month} that are {status}.",
        "Show ids of all {status} orders {side.word} {month}.",
      ],
      sql: "SELECT id FROM orders WHERE status='{status}' AND created{side.sign}'{month}'",
    },
    {
      slots: { month: months },
      wordings: [
        "What is the sum of order totals in {month}?",
        "How much were the orders of {month} worth in all?",
        "Add up the totals of orders created in {month}.",
        "Give me the revenue of {month}.",
        "What did orders in {month} sum up to?",
      ],
      sql: "SELECT SUM(total) FROM orders WHERE created LIKE '{month}%'",
    },
    {
      slots: {
        id: ids,
        end: [
          { word: "latest", call: "MAX" },
          { word: "first", call: "MIN" },
        ],
      },
      wordings: [
        "When was the {end.word} order of user {id} created?",
        "What is the date of the {end.word} order by user {id}?",
        "User {id}: when did the {end.word} order come in?",
        "Find the date on which user {id} placed the {end.word} order.",
      ],
      sql: "SELECT {end.call}(created) FROM orders WHERE user_id={id}",
    },
    {
      slots: { event: events, year: [2024, 2025] },
      wordings: [
        "How many {event.table} were {event.column} per month of {year}?",
        "Count the {event.table} {event.column} in {year} by month.",
        "For each month of {year}, how many {event.table} were {event.column}?",
        "Monthly number of {event.table} {event.column} in {year}?",
      ],
      sql: "SELECT SUBSTR({event.column},1,7),COUNT(*) FROM {event.table} WHERE {event.column} LIKE '{year}%' GROUP BY 1",
    },
    {
      slots: { level: levels, month: innerMonths, side: sides },
      wordings: [
        "How many {level} logs were created {side.word} {month}?",
        "Count the {level} logs created {side.word} {month}.",
        "Number of logs at level {level} created {side.word} {month}?",
        "Tell me how many {level} logs we have from {side.word} {month}.",
      ],
      sql: "SELECT COUNT(*) FROM logs WHERE level='{level}' AND created{side.sign}'{month}'",
    },
    {
      slots: {
        span: innerMonths.flatMap((from, index) => months.slice(index + 7, index + 10).map((to) => ({ from, to }))),
      },
      wordings: [
        "How many orders were created from {span.from} until {span.to}, without {span.to} itself?",
        "Count the orders created since {span.from} but before {span.to}.",
        "Number of orders created since {span.from} and before {span.to}?",
      ],
      sql: "SELECT COUNT(*) FROM orders WHERE created>='{span.from}' AND created<'{span.to}'",
    },
  ],
};
