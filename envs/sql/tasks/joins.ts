import {
  categories,
  cities,
  ids,
  knownProducts,
  knownUsers,
  orderStatuses,
  prices,
  priorities,
} from "../vocabulary.ts";
import type { Family } from "./template.ts";

export const joins: Family = {
  kind: "joins",
  count: 520,
  patterns: [
    {
      slots: { city: cities },
      wordings: [
        "How many orders come from users in {city}?",
        "Count the orders of users who live in {city}.",
        "Number of orders placed by {city} users?",
        "How many orders did people from {city} place?",
      ],
      sql: "SELECT COUNT(*) FROM orders JOIN users ON users.id=orders.user_id WHERE city='{city}'",
    },
    {
      slots: { city: cities, status: orderStatuses },
      wordings: [
        "How many {status} orders come from users in {city}?",
        "Count the {status} orders of users who live in {city}.",
        "Number of {status} orders placed by {city} users?",
        "How many orders of people from {city} are {status}?",
      ],
      sql: "SELECT COUNT(*) FROM orders JOIN users ON users.id=orders.user_id WHERE city='{city}' AND status='{status}'",
    },
    {
      slots: { status: orderStatuses },
      wordings: [
        "Which users have a {status} order?",
        "List the names of users with {status} orders.",
        "Who has at least one {status} order?",
        "Name everybody who has {status} orders.",
        "Whose orders are {status}? Names, please.",
      ],
      sql: "SELECT DISTINCT name FROM users JOIN orders ON orders.user_id=users.id WHERE status='{status}'",
    },
    {
      slots: { status: orderStatuses },
      wordings: [
        "Which users have no {status} order?",
        "List the names of users without {status} orders.",
        "Who never had a {status} order?",
        "Name everybody who has no {status} orders.",
      ],
      sql: "SELECT name FROM users WHERE id NOT IN (SELECT user_id FROM orders WHERE status='{status}')",
    },
    {
      slots: { category: categories },
      wordings: [
        "Which products are in the {category} category?",
        "List all products of category {category}.",
        "What do we sell under {category}?",
        "Show me the {category} products by name.",
        "Names of everything in {category}, please.",
      ],
      sql: "SELECT products.name FROM products JOIN categories ON categories.id=products.category_id WHERE categories.name='{category}'",
    },
    {
      slots: { category: categories, price: prices.slice(3) },
      wordings: [
        "Which {category} products cost less than {price}?",
        "List products of category {category} under {price}.",
        "What do we sell under {category} for less than {price}?",
        "Show me the {category} products with a price below {price}.",
      ],
      sql: "SELECT products.name FROM products JOIN categories ON categories.id=products.category_id WHERE categories.name='{category}' AND price<{price}",
    },
    {
      slots: {
        user: knownUsers,
        measure: [
          { word: "sum", call: "SUM" },
          { word: "average", call: "AVG" },
        ],
      },
      wordings: [
        "What is the {measure.word} of totals over orders by {user}?",
        "Give me the {measure.word} of the order totals of {user}.",
        "Over all orders of {user}, what is the {measure.word} of totals?",
        "For user {user}, show the {measure.word} of order totals.",
      ],
      sql: "SELECT {measure.call}(total) FROM orders JOIN users ON users.id=orders.user_id WHERE name='{user}'",
    },
    {
      slots: { id: ids },
      wordings: [
        "Which products are in order {id}?",
        "List the product names of order {id}.",
        "What was bought in order {id}?",
        "Show the products that order {id} contains.",
        "Order {id}: which products are in it?",
      ],
      sql: "SELECT name FROM products JOIN order_items ON order_items.product_id=products.id WHERE order_id={id}",
    },
    {
      slots: { product: knownProducts },
      wordings: [
        "How many pieces of the {product} were ordered?",
        "What quantity of the {product} did we sell?",
        "Sum up the ordered quantity of the {product}.",
        "Total quantity ordered of the {product}?",
        "How often was the {product} ordered, in pieces?",
      ],
      sql: "SELECT SUM(quantity) FROM order_items JOIN products ON products.id=order_items.product_id WHERE name='{product}'",
    },
    {
      slots: { product: knownProducts },
      wordings: [
        "What is the average rating of the {product}?",
        "How is the {product} rated on average?",
        "Give me the mean review rating for the {product}.",
        "Average stars of the {product}?",
      ],
      sql: "SELECT AVG(rating) FROM reviews JOIN products ON products.id=reviews.product_id WHERE name='{product}'",
    },
    {
      slots: { city: cities, priority: priorities },
      wordings: [
        "How many {priority} tickets come from users in {city}?",
        "Count the {priority} tickets of users who live in {city}.",
        "Number of {priority} tickets opened by {city} users?",
        "How many tickets of people from {city} have {priority} priority?",
      ],
      sql: "SELECT COUNT(*) FROM tickets JOIN users ON users.id=tickets.user_id WHERE city='{city}' AND priority='{priority}'",
    },
  ],
};
