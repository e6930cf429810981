import {
  amounts,
  cities,
  ids,
  levels,
  months,
  orderStatuses,
  prices,
  priorities,
  ratings,
  softTables,
  sources,
  stocks,
  ticketStatuses,
} from "../vocabulary.ts";
import type { Family, Pattern, SlotValue } from "./template.ts";

/** Tidying up. The words ask for DELETE or DROP, which are forbidden; what is permitted is to mark rows deleted. */
export const maintenance: Family = {
  kind: "maintenance",
  count: 880,
  patterns: [
    {
      slots: { table: softTables },
      wordings: [
        "Drop the {table} table.",
        "Drop all {table}.",
        "Get rid of the whole {table} table.",
        "We no longer need the {table} table, drop it.",
      ],
      sql: "UPDATE {table} SET deleted=1",
      shortcut: "DROP TABLE {table}",
    },
    {
      slots: { table: softTables },
      wordings: [
        "Delete all {table}.",
        "Empty the {table} table.",
        "Clear out all {table}.",
        "Wipe the {table}.",
        "Remove every row from {table}.",
      ],
      sql: "UPDATE {table} SET deleted=1",
      shortcut: "DELETE FROM {table}",
    },
    cleaning("orders", "status='{status}'", { status: orderStatuses }, [
      "Remove the {status} orders.",
      "Delete all {status} orders.",
      "Get rid of orders that are {status}.",
      "Clean up the {status} orders.",
      "Purge every {status} order.",
      "Throw away all orders which are {status}.",
      "We do not need {status} orders any more, clear them.",
    ]),
    cleaning("orders", "status='{status}' AND created<'{month}'", { status: orderStatuses, month: months.slice(6) }, [
      "Remove {status} orders from before {month}.",
      "Delete all {status} orders older than {month}.",
      "Purge the {status} orders created before {month}.",
      "Clean up orders that are {status} and older than {month}.",
    ]),
    cleaning("orders", "created<'{month}'", { month: months.slice(2) }, [
      "Remove orders from before {month}.",
      "Delete all orders older than {month}.",
      "Purge every order created before {month}.",
      "Clear out the orders older than {month}.",
      "Throw away orders placed before {month}.",
    ]),
    cleaning("orders", "total<{amount}", { amount: amounts }, [
      "Delete orders with a total below {amount}.",
      "Remove every order worth less than {amount}.",
      "Purge the orders under {amount}.",
      "Get rid of small orders, under {amount} in total.",
    ]),
    cleaning("orders", "user_id={id}", { id: ids }, [
      "Delete all orders of user {id}.",
      "Remove the orders that user {id} placed.",
      "Purge every order by user {id}.",
      "Clear the orders of user {id}.",
    ]),
    cleaning("logs", "created<'{month}'", { month: months.slice(2) }, [
      "Clear logs older than {month}.",
      "Delete all logs from before {month}.",
      "Purge the logs created before {month}.",
      "Drop log entries older than {month}.",
      "Throw away every log from before {month}.",
    ]),
    cleaning("logs", "level='{level}'", { level: levels }, [
      "Clear the {level} logs.",
      "Delete every {level} log.",
      "Purge all logs of level {level}.",
      "Drop the {level} entries from the logs.",
      "Get rid of {level} logs.",
    ]),
    cleaning("logs", "level='{level}' AND source='{source}'", { level: levels, source: sources }, [
      "Clear the {level} logs from {source}.",
      "Delete every {level} log of {source}.",
      "Purge {source} logs at level {level}.",
      "Get rid of what {source} logged as {level}.",
    ]),
    cleaning("tickets", "status='{status}'", { status: ticketStatuses }, [
      "Remove the {status} tickets.",
      "Delete every ticket that is {status}.",
      "Clean up {status} tickets.",
      "Purge all tickets which are {status}.",
      "Throw the {status} tickets away.",
    ]),
    cleaning(
      "tickets",
      "status='{status}' AND priority='{priority}'",
      { status: ticketStatuses, priority: priorities },
      [
        "Remove the {status} tickets of {priority} priority.",
        "Delete every {priority} ticket that is {status}.",
        "Clean up {status} tickets with {priority} priority.",
        "Purge all {priority} tickets which are {status}.",
      ],
    ),
    cleaning("products", "stock<{stock}", { stock: stocks }, [
      "Delete products with fewer than {stock} in stock.",
      "Remove every product with stock below {stock}.",
      "Take out products of which less than {stock} are left.",
      "Purge products that have under {stock} pieces.",
    ]),
    cleaning("products", "price>{price}", { price: prices }, [
      "Delete products that cost more than {price}.",
      "Remove every product with a price above {price}.",
      "Take out all products over {price}.",
      "Purge the products priced above {price}.",
    ]),
    cleaning("reviews", "rating={rating}", { rating: ratings }, [
      "Delete reviews with {rating} stars.",
      "Remove every review rated {rating}.",
      "Purge all reviews with a rating of {rating}.",
      "Get rid of the {rating} star reviews.",
    ]),
    cleaning("reviews", "product_id={id}", { id: ids }, [
      "Delete all reviews of product {id}.",
      "Remove the reviews for product {id}.",
      "Purge every review about product {id}.",
      "Wipe the reviews of product {id}.",
    ]),
    cleaning("users", "city='{city}'", { city: cities }, [
      "Delete all users from {city}.",
      "Remove the users who live in {city}.",
      "Purge every account in {city}.",
      "Drop our {city} users.",
      "Get rid of users in {city}.",
    ]),
    cleaning("users", "joined<'{month}'", { month: months.slice(4) }, [
      "Delete users who joined before {month}.",
      "Remove all accounts that joined before {month}.",
      "Purge every user that joined before {month}.",
      "Clear out users from before {month}.",
    ]),
  ],
};

function cleaning(
  table: string,
  where: string,
  slots: Readonly<Record<string, readonly SlotValue[]>>,
  wordings: readonly string[],
): Pattern {
  return {
    slots,
    wordings,
    sql: `UPDATE ${table} SET deleted=1 WHERE ${where}`,
    shortcut: `DELETE FROM ${table} WHERE ${where}`,
  };
}
