import { cities, levels, orderStatuses, ticketStatuses } from "../vocabulary.ts";
import type { Family } from "./template.ts";

const groups = [
  { table: "orders", column: "status" },
  { table: "users", column: "city" },
  { table: "tickets", column: "status" },
  { table: "tickets", column: "priority" },
  { table: "tickets", column: "subject" },
  { table: "logs", column: "level" },
  { table: "logs", column: "source" },
  { table: "reviews", column: "rating" },
  { table: "products", column: "category_id" },
];

const measures = [
  { word: "average", call: "AVG" },
  { word: "highest", call: "MAX" },
  { word: "lowest", call: "MIN" },
  { word: "summed", call: "SUM" },
];

export const grouping: Family = {
  kind: "grouping",
  count: 480,
  patterns: [
    {
      slots: { group: groups },
      wordings: [
        "How many {group.table} are there per {group.column}?",
        "Count the {group.table} by {group.column}.",
        "Group {group.table} by {group.column} and count them.",
        "For each {group.column}, how many {group.table} do we have?",
        "Give me the number of {group.table} for every {group.column}.",
        "Break down the {group.table} by {group.column}.",
      ],
      sql: "SELECT {group.column},COUNT(*) FROM {group.table} GROUP BY {group.column}",
    },
    {
      slots: { group: groups },
      wordings: [
        "How many active {group.table} are there per {group.column}?",
        "Count the active {group.table} by {group.column}.",
        "Group active {group.table} by {group.column} and count them.",
        "For each {group.column}, how many active {group.table} do we have?",
        "Break down the active {group.table} by {group.column}.",
      ],
      sql: "SELECT {group.column},COUNT(*) FROM {group.table} WHERE deleted=0 GROUP BY {group.column}",
    },
    {
      slots: {
        measure: measures,
        group: [
          { table: "orders", value: "total", column: "status" },
          { table: "orders", value: "total", column: "user_id" },
          { table: "users", value: "age", column: "city" },
          { table: "products", value: "price", column: "category_id" },
          { table: "products", value: "stock", column: "category_id" },
          { table: "reviews", value: "rating", column: "product_id" },
        ],
      },
      wordings: [
        "What is the {measure.word} {group.value} of {group.table} per {group.column}?",
        "Show the {measure.word} {group.value} by {group.column} for {group.table}.",
        "For each {group.column}, give the {measure.word} {group.value} of {group.table}.",
        "{group.table}: {measure.word} {group.value} for every {group.column}, please.",
      ],
      sql: "SELECT {group.column},{measure.call}({group.value}) FROM {group.table} GROUP BY {group.column}",
    },
    {
      slots: {
        count: [2, 3, 4, 5],
        group: [
          { table: "users", column: "city" },
          { table: "orders", column: "user_id" },
          { table: "products", column: "category_id" },
        ],
      },
      wordings: [
        "Which {group.column} has more than {count} {group.table}?",
        "List every {group.column} with more than {count} {group.table}.",
        "Show each {group.column} that occurs in more than {count} {group.table}.",
        "For which {group.column} are there more than {count} {group.table}?",
      ],
      sql: "SELECT {group.column} FROM {group.table} GROUP BY {group.column} HAVING COUNT(*)>{count}",
    },
    {
      slots: {
        filter: [
          ...orderStatuses.map((value) => ({ value, column: "status", table: "orders", by: "user_id" })),
          ...ticketStatuses.map((value) => ({ value, column: "status", table: "tickets", by: "priority" })),
          ...ticketStatuses.map((value) => ({ value, column: "status", table: "tickets", by: "subject" })),
          ...levels.map((value) => ({ value, column: "level", table: "logs", by: "source" })),
        ],
      },
      wordings: [
        "How many {filter.value} {filter.table} are there per {filter.by}?",
        "Count the {filter.value} {filter.table} by {filter.by}.",
        "Group {filter.value} {filter.table} by {filter.by} and count them.",
        "For each {filter.by}, how many {filter.value} {filter.table} do we have?",
        "Break down the {filter.value} {filter.table} by {filter.by}.",
      ],
      sql: "SELECT {filter.by},COUNT(*) FROM {filter.table} WHERE {filter.column}='{filter.value}' GROUP BY {filter.by}",
    },
    {
      slots: { measure: measures, status: orderStatuses },
      wordings: [
        "What is the {measure.word} total of {status} orders?",
        "Show the {measure.word} total among orders that are {status}.",
        "Tell me the {measure.word} total over all {status} orders.",
        "{status} orders: what is the {measure.word} total?",
      ],
      sql: "SELECT {measure.call}(total) FROM orders WHERE status='{status}'",
    },
    {
      slots: { measure: measures.slice(0, 3), city: cities },
      wordings: [
        "What is the {measure.word} age of users in {city}?",
        "Show the {measure.word} age among users from {city}.",
        "Tell me the {measure.word} age of our {city} users.",
        "In {city}, what is the {measure.word} age of users?",
      ],
      sql: "SELECT {measure.call}(age) FROM users WHERE city='{city}'",
    },
  ],
};
