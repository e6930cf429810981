/**
 * The closed lists that the shop is filled from and that tasks mention, in one spelling everywhere: a small policy
 * model answers by copying them from the prompt.
 */

export const cities = ["Berlin", "Oslo", "Paris", "Lisbon", "Vienna", "Madrid", "Dublin", "Athens"] as const;
export const orderStatuses = ["pending", "paid", "shipped", "delivered", "cancelled", "refunded"] as const;
export const ticketStatuses = ["open", "waiting", "solved", "closed"] as const;
export const priorities = ["low", "normal", "high", "urgent"] as const;
export const subjects = ["refund", "delivery", "login", "invoice", "warranty"] as const;
export const levels = ["debug", "info", "warning", "error"] as const;
export const sources = ["web", "api", "mail", "billing", "search"] as const;
export const categories = ["Books", "Toys", "Garden", "Kitchen", "Music", "Sports", "Office", "Lighting"] as const;
export const ratings = [1, 2, 3, 4, 5] as const;

/** Tables whose rows are taken away by `deleted=1`. */
export const softTables = ["users", "products", "orders", "tickets", "reviews", "logs"] as const;

/** One user each, in order of id; tasks mention only {@link knownUsers}. */
export const userNames = (
  "Ada Boris Clara David Elena Felix Greta Hugo Irene Jonas Karin Leon Marta Nils Olga Pavel Rosa Simon Tessa Viktor " +
  "Wanda Xenia Yusuf Zoe Anton Bella Carlos Dora Emil Frida Georg Helga Ivan Julia Kurt Lena Mario Nora Oskar Petra " +
  "Quinn Ralf Sonja Theo Ursula Valentin Willem Yara Zeno Amir Britta Cosmo Dalia Edgar Fatima Gustav Hanna Igor Jana Kaspar"
).split(" ");
export const knownUsers = userNames.slice(0, 16);

/** One product each, in order of id; tasks mention only {@link knownProducts}. */
export const productNames = (
  "Lamp Kettle Guitar Novel Puzzle Shovel Racket Stapler Candle Teapot Drum Atlas Kite Rake Helmet Binder Lantern Toaster " +
  "Violin Diary Robot Hose Skates Folder Torch Skillet Flute Comic Marbles Trellis Dumbbell Pencil Chandelier Blender " +
  "Trumpet Almanac Doll Planter Paddle Calendar"
).split(" ");
export const knownProducts = productNames.slice(0, 16);
/** Names that no product has yet. */
export const newProducts = ["Compass", "Whistle", "Hammock", "Mirror", "Basket"] as const;
export const newCategories = ["Travel", "Pets", "Beauty", "Health", "Fashion"] as const;

/** Ids that tasks mention. */
export const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20] as const;
export const ages = [25, 30, 35, 40, 45, 50] as const;
export const amounts = [50, 100, 150, 200, 250, 300] as const;
export const prices = [15, 20, 25, 30, 40, 50, 60, 80, 100] as const;
export const stocks = [10, 15, 20, 25, 30, 40, 50] as const;

/** The months in which the shop's rows were made. */
export const months = [2024, 2025].flatMap((year) =>
  Array.from({ length: 12 }, (_, month) => `${year}-${String(month + 1).padStart(2, "0")}`),
);
