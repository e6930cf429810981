/** A store thread that ends as soon as it has something to do. */
export default function work(): never {
  process.exit(3);
}
