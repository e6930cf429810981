import {
  ages,
  amounts,
  cities,
  levels,
  orderStatuses,
  priorities,
  ratings,
  softTables,
  sources,
  stocks,
  ticketStatuses,
} from "../vocabulary.ts";
import type { Family } from "./template.ts";

export const counting: Family = {
  kind: "counting",
  count: 720,
  patterns: [
    {
      slots: { status: orderStatuses },
      wordings: [
        "How many {status} orders are there?",
        "Count the {status} orders.",
        "What is the number of {status} orders?",
        "Tell me how many orders are {status}.",
        "How many of our orders are {status}?",
        "Give me a count of orders that are {status}.",
      ],
      sql: "SELECT COUNT(*) FROM orders WHERE status='{status}'",
    },
    {
      slots: { status: orderStatuses, amount: amounts },
      wordings: [
        "How many {status} orders have a total over {amount}?",
        "Count {status} orders worth more than {amount}.",
        "Number of orders that are {status} and cost more than {amount}?",
        "For how many {status} orders is the total above {amount}?",
        "How many orders over {amount} are {status}?",
      ],
      sql: "SELECT COUNT(*) FROM orders WHERE status='{status}' AND total>{amount}",
    },
    {
      slots: { city: cities },
      wordings: [
        "How many users live in {city}?",
        "Count the users from {city}.",
        "What is the number of users in {city}?",
        "How many of our users are from {city}?",
        "User count for {city}, please.",
      ],
      sql: "SELECT COUNT(*) FROM users WHERE city='{city}'",
    },
    {
      slots: {
        city: cities,
        age: ages,
        side: [
          { word: "older", sign: ">" },
          { word: "younger", sign: "<" },
        ],
      },
      wordings: [
        "How many users in {city} are {side.word} than {age}?",
        "Count users from {city} who are {side.word} than {age}.",
        "In {city}, how many users are {side.word} than {age}?",
        "Number of {city} users {side.word} than {age}?",
      ],
      sql: "SELECT COUNT(*) FROM users WHERE city='{city}' AND age{side.sign}{age}",
    },
    {
      slots: {
        stock: stocks,
        side: [
          { word: "fewer", sign: "<" },
          { word: "more", sign: ">" },
        ],
      },
      wordings: [
        "How many active products have {side.word} than {stock} in stock?",
        "Count the active products with {side.word} than {stock} pieces left.",
        "Of how many active products do we hold {side.word} than {stock}?",
        "Number of active products with stock of {side.word} than {stock}?",
      ],
      sql: "SELECT COUNT(*) FROM products WHERE deleted=0 AND stock{side.sign}{stock}",
    },
    {
      slots: { status: ticketStatuses, priority: priorities },
      wordings: [
        "How many {priority} priority tickets are {status}?",
        "Count the {status} tickets of {priority} priority.",
        "Number of {status} tickets with priority {priority}?",
        "How many tickets are both {status} and {priority}?",
        "Tell me how many {status} {priority} tickets we have.",
      ],
      sql: "SELECT COUNT(*) FROM tickets WHERE status='{status}' AND priority='{priority}'",
    },
    {
      slots: { level: levels, source: sources },
      wordings: [
        "How many {level} logs came from {source}?",
        "Count the logs of level {level} from {source}.",
        "Number of {level} entries that {source} logged?",
        "How often did {source} log at level {level}?",
        "From {source}, how many {level} logs do we have?",
      ],
      sql: "SELECT COUNT(*) FROM logs WHERE level='{level}' AND source='{source}'",
    },
    {
      slots: {
        rating: ratings,
        side: [
          { word: "exactly", sign: "=" },
          { word: "at least", sign: ">=" },
          { word: "at most", sign: "<=" },
        ],
      },
      wordings: [
        "How many reviews have a rating of {side.word} {rating}?",
        "Count reviews rated {side.word} {rating}.",
        "How many reviews give {side.word} {rating} stars?",
        "Number of reviews with {side.word} {rating} stars?",
      ],
      sql: "SELECT COUNT(*) FROM reviews WHERE rating{side.sign}{rating}",
    },
    {
      slots: {
        table: softTables,
        state: [
          { word: "active", flag: 0 },
          { word: "deleted", flag: 1 },
        ],
      },
      wordings: [
        "How many {state.word} {table} are there?",
        "Count the {state.word} {table}.",
        "What is the number of {state.word} {table}?",
        "Tell me how many {table} are {state.word}.",
        "How many of the {table} are {state.word}?",
      ],
      sql: "SELECT COUNT(*) FROM {table} WHERE deleted={state.flag}",
    },
    {
      slots: {
        pair: [
          { table: "users", column: "city" },
          { table: "orders", column: "status" },
          { table: "orders", column: "user_id" },
          { table: "tickets", column: "subject" },
          { table: "logs", column: "source" },
          { table: "reviews", column: "product_id" },
        ],
      },
      wordings: [
        "How many different values of {pair.column} do {pair.table} have?",
        "Count the distinct {pair.column} values in {pair.table}.",
        "In {pair.table}, how many distinct {pair.column} values occur?",
        "Number of unique {pair.column} values among {pair.table}?",
      ],
      sql: "SELECT COUNT(DISTINCT {pair.column}) FROM {pair.table}",
    },
  ],
};
