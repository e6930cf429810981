import {
  ages,
  amounts,
  cities,
  ids,
  knownProducts,
  knownUsers,
  orderStatuses,
  prices,
  priorities,
  stocks,
  ticketStatuses,
} from "../vocabulary.ts";
import type { Family } from "./template.ts";

export const filtering: Family = {
  kind: "filtering",
  count: 720,
  patterns: [
    {
      slots: { city: cities },
      wordings: [
        "Which users live in {city}?",
        "List the names of users from {city}.",
        "Who lives in {city}?",
        "Show me everybody from {city} by name.",
        "Names of the users in {city}, please.",
        "Give me the users based in {city}.",
      ],
      sql: "SELECT name FROM users WHERE city='{city}'",
    },
    {
      slots: {
        city: cities,
        age: ages.slice(1, 5),
        side: [
          { word: "older", sign: ">" },
          { word: "younger", sign: "<" },
        ],
      },
      wordings: [
        "Which users in {city} are {side.word} than {age}?",
        "List the names of users from {city} who are {side.word} than {age}.",
        "Who in {city} is {side.word} than {age}?",
        "Names of {city} users {side.word} than {age}, please.",
      ],
      sql: "SELECT name FROM users WHERE city='{city}' AND age{side.sign}{age}",
    },
    {
      slots: {
        price: prices,
        side: [
          { word: "less", sign: "<" },
          { word: "more", sign: ">" },
        ],
      },
      wordings: [
        "Which products cost {side.word} than {price}?",
        "List products priced at {side.word} than {price}.",
        "Names of the products that sell for {side.word} than {price}?",
        "Show the products with a price of {side.word} than {price}.",
        "What do we sell for {side.word} than {price}?",
      ],
      sql: "SELECT name FROM products WHERE price{side.sign}{price}",
    },
    {
      slots: {
        range: prices.flatMap((low, index) => prices.slice(index + 2).map((high) => ({ low, high }))),
      },
      wordings: [
        "Which products cost between {range.low} and {range.high}?",
        "List products with a price from {range.low} to {range.high}.",
        "What can I buy for {range.low} to {range.high}?",
        "Names of products priced between {range.low} and {range.high}, please.",
      ],
      sql: "SELECT name FROM products WHERE price BETWEEN {range.low} AND {range.high}",
    },
    {
      slots: { user: knownUsers, column: ["email", "city", "age"] },
      wordings: [
        "What is the {column} of {user}?",
        "Show me the {column} of user {user}.",
        "Look up the {column} for {user}.",
        "I need the {column} of {user}.",
        "Which {column} does {user} have?",
      ],
      sql: "SELECT {column} FROM users WHERE name='{user}'",
    },
    {
      slots: { product: knownProducts, column: ["price", "stock"] },
      wordings: [
        "What is the {column} of the {product}?",
        "Show me the {column} of product {product}.",
        "Look up the {column} for the {product}.",
        "I need the {column} of the {product}.",
        "Which {column} does the {product} have?",
      ],
      sql: "SELECT {column} FROM products WHERE name='{product}'",
    },
    {
      slots: { status: orderStatuses, amount: amounts },
      wordings: [
        "Give me the ids of {status} orders over {amount}.",
        "Which order ids are {status} with a total above {amount}?",
        "List the ids of orders that are {status} and worth more than {amount}.",
        "Show ids of {status} orders that cost more than {amount}.",
      ],
      sql: "SELECT id FROM orders WHERE status='{status}' AND total>{amount}",
    },
    {
      slots: { stock: stocks },
      wordings: [
        "Which active products have fewer than {stock} in stock?",
        "List active products with stock below {stock}.",
        "Names of active products of which fewer than {stock} are left?",
        "Which active products are running low, under {stock} pieces?",
        "Show active products with less than {stock} left.",
      ],
      sql: "SELECT name FROM products WHERE deleted=0 AND stock<{stock}",
    },
    {
      slots: { status: ticketStatuses, priority: priorities },
      wordings: [
        "Give me the ids of {status} tickets with {priority} priority.",
        "Which ticket ids are {status} and {priority}?",
        "List ids of {priority} tickets that are {status}.",
        "Show the ids of all {status} {priority} tickets.",
      ],
      sql: "SELECT id FROM tickets WHERE status='{status}' AND priority='{priority}'",
    },
    {
      slots: { id: ids, column: ["status", "total", "created"] },
      wordings: [
        "What is the {column} of order {id}?",
        "Show the {column} of order number {id}.",
        "For order {id}, what is {column}?",
        "Look up {column} for order {id}.",
      ],
      sql: "SELECT {column} FROM orders WHERE id={id}",
    },
  ],
};
