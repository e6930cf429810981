import { cities, levels, orderStatuses, prices, priorities } from "../vocabulary.ts";
import type { Family } from "./template.ts";

const counts = [2, 3, 4, 5, 6, 7, 8, 9, 10];
/** For filtered lists, which are shorter. */
const fewCounts = [2, 3, 4, 5];

export const topK: Family = {
  kind: "top-k",
  count: 620,
  patterns: [
    {
      slots: {
        count: counts,
        rank: [
          { word: "most expensive", order: "price DESC" },
          { word: "cheapest", order: "price" },
          { word: "best stocked", order: "stock DESC" },
          { word: "worst stocked", order: "stock" },
        ],
      },
      wordings: [
        "What are the {count} {rank.word} products?",
        "List the {count} {rank.word} products.",
        "Name our {count} {rank.word} products.",
        "Show me the top {count} of the {rank.word} products.",
        "Which {count} products are the {rank.word}?",
      ],
      sql: "SELECT name FROM products ORDER BY {rank.order},id LIMIT {count}",
    },
    {
      slots: {
        count: fewCounts,
        city: cities,
        rank: [
          { word: "oldest", order: "age DESC" },
          { word: "youngest", order: "age" },
        ],
      },
      wordings: [
        "Who are the {count} {rank.word} users in {city}?",
        "List the {count} {rank.word} users from {city}.",
        "Name the {rank.word} {count} users of {city}.",
        "In {city}, which {count} users are the {rank.word}?",
      ],
      sql: "SELECT name FROM users WHERE city='{city}' ORDER BY {rank.order},id LIMIT {count}",
    },
    {
      slots: {
        count: counts,
        status: orderStatuses,
        rank: [
          { word: "largest", order: "total DESC" },
          { word: "smallest", order: "total" },
          { word: "newest", order: "created DESC" },
          { word: "oldest", order: "created" },
        ],
      },
      wordings: [
        "Give me the ids of the {count} {rank.word} {status} orders.",
        "Which {count} {status} orders are the {rank.word}? Ids only.",
        "List ids of the {rank.word} {count} orders that are {status}.",
        "Show the {count} {rank.word} {status} order ids.",
      ],
      sql: "SELECT id FROM orders WHERE status='{status}' ORDER BY {rank.order},id LIMIT {count}",
    },
    {
      slots: {
        count: counts,
        rank: [
          { word: "largest", order: "total DESC" },
          { word: "smallest", order: "total" },
          { word: "newest", order: "created DESC" },
          { word: "oldest", order: "created" },
        ],
      },
      wordings: [
        "Show id and total of the {count} {rank.word} orders.",
        "What are the ids and totals of our {count} {rank.word} orders?",
        "List the {count} {rank.word} orders with id and total.",
        "For the {rank.word} {count} orders, give id and total.",
      ],
      sql: "SELECT id,total FROM orders ORDER BY {rank.order},id LIMIT {count}",
    },
    {
      slots: {
        count: fewCounts,
        priority: priorities,
        rank: [
          { word: "newest", order: "opened DESC" },
          { word: "oldest", order: "opened" },
        ],
      },
      wordings: [
        "Give me the ids of the {count} {rank.word} {priority} tickets.",
        "Which {count} {priority} tickets are the {rank.word}? Ids only.",
        "List ids of the {rank.word} {count} tickets with {priority} priority.",
        "Show the {count} {rank.word} {priority} ticket ids.",
      ],
      sql: "SELECT id FROM tickets WHERE priority='{priority}' ORDER BY {rank.order},id LIMIT {count}",
    },
    {
      slots: { count: fewCounts, level: levels },
      wordings: [
        "Show source and created of the last {count} {level} logs.",
        "What are source and created of the {count} most recent {level} logs?",
        "List the latest {count} {level} logs with source and created.",
        "For the {count} newest {level} logs, give source and created.",
      ],
      sql: "SELECT source,created FROM logs WHERE level='{level}' ORDER BY created DESC,id LIMIT {count}",
    },
    {
      slots: { count: fewCounts, price: prices.slice(3) },
      wordings: [
        "What are the {count} most expensive products under {price}?",
        "List the {count} priciest products that cost less than {price}.",
        "Below a price of {price}, which {count} products are the most expensive?",
        "Name the top {count} products by price under {price}.",
      ],
      sql: "SELECT name FROM products WHERE price<{price} ORDER BY price DESC,id LIMIT {count}",
    },
  ],
};
