import {
  amounts,
  ids,
  levels,
  newCategories,
  newProducts,
  prices,
  priorities,
  ratings,
  sources,
  stocks,
  subjects,
} from "../vocabulary.ts";
import type { Family } from "./template.ts";

export const inserts: Family = {
  kind: "inserts",
  count: 340,
  patterns: [
    {
      slots: { id: ids, subject: subjects, priority: priorities },
      wordings: [
        "Open a {priority} ticket about {subject} for user {id}.",
        "User {id} has a {subject} problem: add a ticket with {priority} priority.",
        "Create a ticket for user {id}, subject {subject}, priority {priority}.",
        "Add a new {priority} priority {subject} ticket for user {id}.",
        "File a {subject} ticket of {priority} priority from user {id}.",
      ],
      sql: "INSERT INTO tickets(user_id,subject,priority) VALUES({id},'{subject}','{priority}')",
    },
    {
      slots: { level: levels, source: sources },
      wordings: [
        "Log a {level} from {source}.",
        "Add a log entry of level {level} for {source}.",
        "Write a new {level} log with source {source}.",
        "Record in the logs: {level} in {source}.",
      ],
      sql: "INSERT INTO logs(level,source) VALUES('{level}','{source}')",
    },
    {
      slots: { id: ids, amount: amounts },
      wordings: [
        "Create an order of {amount} for user {id}.",
        "User {id} orders for {amount}: add it.",
        "Add a new order for user {id} with a total of {amount}.",
        "Place an order for user {id}, total {amount}.",
      ],
      sql: "INSERT INTO orders(user_id,total) VALUES({id},{amount})",
    },
    {
      slots: { category: newCategories },
      wordings: [
        "Add a category {category}.",
        "Create the new category {category}.",
        "We need a category named {category}: add it.",
        "Make {category} a category.",
        "Insert {category} into the categories.",
        "{category} is a new category, add it.",
        "Put {category} on the list of categories.",
      ],
      sql: "INSERT INTO categories(name) VALUES('{category}')",
    },
    {
      slots: { product: ids, user: ids, rating: ratings },
      wordings: [
        "User {user} gives product {product} a rating of {rating}: add the review.",
        "Add a review of product {product} by user {user} with {rating} stars.",
        "Record a {rating} star review for product {product} from user {user}.",
        "Create a review for product {product}, user {user}, rating {rating}.",
      ],
      sql: "INSERT INTO reviews(product_id,user_id,rating) VALUES({product},{user},{rating})",
    },
    {
      slots: { product: newProducts, category: [1, 2, 3, 4, 5, 6, 7, 8], price: prices, stock: stocks },
      wordings: [
        "Add a product {product} in category {category}, price {price}, stock {stock}.",
        "We now sell the {product}: category {category}, price {price}, {stock} in stock.",
        "Create product {product} with category {category}, a price of {price} and a stock of {stock}.",
        "Insert the new product {product}, category {category}, for {price}, stock {stock}.",
      ],
      sql: "INSERT INTO products(name,category_id,price,stock) VALUES('{product}',{category},{price},{stock})",
    },
  ],
};
