import {
  categories,
  cities,
  ids,
  knownProducts,
  knownUsers,
  orderStatuses,
  prices,
  priorities,
  stocks,
  subjects,
  ticketStatuses,
} from "../vocabulary.ts";
import type { Family } from "./template.ts";

export const updates: Family = {
  kind: "updates",
  count: 460,
  patterns: [
    {
      slots: { id: ids, status: orderStatuses },
      wordings: [
        "Set order {id} to {status}.",
        "Mark order {id} as {status}.",
        "Order {id} is now {status}: update it.",
        "Change the status of order {id} to {status}.",
        "Please make order {id} {status}.",
      ],
      sql: "UPDATE orders SET status='{status}' WHERE id={id}",
    },
    {
      slots: { product: knownProducts, price: prices },
      wordings: [
        "Set the price of the {product} to {price}.",
        "The {product} now costs {price}: update it.",
        "Change the {product} to a price of {price}.",
        "Sell the {product} for {price} from now on.",
      ],
      sql: "UPDATE products SET price={price} WHERE name='{product}'",
    },
    {
      slots: { product: knownProducts, stock: stocks },
      wordings: [
        "{stock} more of the {product} arrived: add them to the stock.",
        "Increase the stock of the {product} by {stock}.",
        "Add {stock} to the stock of the {product}.",
        "We received {stock} pieces of the {product}: book them in.",
      ],
      sql: "UPDATE products SET stock=stock+{stock} WHERE name='{product}'",
    },
    {
      slots: { category: categories.map((_, index) => index + 1), amount: [1, 2, 3, 4, 5] },
      wordings: [
        "Raise all prices in category {category} by {amount}.",
        "Make products of category {category} more expensive by {amount}.",
        "Add {amount} to the price of every product in category {category}.",
        "Category {category}: increase each price by {amount}.",
      ],
      sql: "UPDATE products SET price=price+{amount} WHERE category_id={category}",
    },
    {
      slots: { user: knownUsers, city: cities },
      wordings: [
        "{user} moved to {city}: update the city.",
        "Change the city of {user} to {city}.",
        "Set the city of user {user} to {city}.",
        "{user} now lives in {city}, please update.",
      ],
      sql: "UPDATE users SET city='{city}' WHERE name='{user}'",
    },
    {
      slots: { status: ticketStatuses, priority: priorities },
      wordings: [
        "Set all {priority} tickets to {status}.",
        "Mark every {priority} ticket as {status}.",
        "Change the status of tickets with {priority} priority to {status}.",
        "All tickets of {priority} priority should be {status} now.",
      ],
      sql: "UPDATE tickets SET status='{status}' WHERE priority='{priority}'",
    },
    {
      slots: { subject: subjects, priority: priorities },
      wordings: [
        "Give all {subject} tickets {priority} priority.",
        "Set the priority of every {subject} ticket to {priority}.",
        "Tickets about {subject} should have priority {priority} now.",
        "Change {subject} tickets to {priority} priority.",
      ],
      sql: "UPDATE tickets SET priority='{priority}' WHERE subject='{subject}'",
    },
  ],
};
