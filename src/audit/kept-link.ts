/**
 * A store keeps the first digits of a link alone, and derives the rest from the line that it names. Where that line was changed, the link
 * is those digits and the rest of the changed line's hash: what the true one was is lost, and with it that of every line behind.
 */
export const keptDigits = 8;

/** @param hash Of a line as it is. @param named By the line after it, as the hash of the one before. */
export function isDerived(named: string, hash: string): boolean {
  return named !== hash && named.slice(keptDigits) === hash.slice(keptDigits);
}
