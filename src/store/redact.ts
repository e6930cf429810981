/** Takes what must not leave out of a text. */
export type Redact = (text: string) => string;

const removed = "[redacted]";

/** Names whose values are secrets, in JSON, in assignments and in headers. Every repetition is bounded: agents write these texts. */
const secretNames = String.raw`[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|authorization|cookie|credential)[\w.-]{0,40}`;

/** In this order: the long forms first, so that no part of them is left over. */
const patterns: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, removed],
  [/\beyJ[\w-]{8,512}\.[\w-]{1,8192}\.[\w-]{0,4096}/g, removed],
  [/\b(?:bearer|basic)\s+[\w+/=.~-]{8,}/gi, removed],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, removed],
  [/\b(?:gh[pousr]|github_pat|glpat|xox[abprs]|sk|rk|pk)[-_][\w-]{16,}/g, removed],
  [/(?<=:\/\/[^\s/:@]{0,64}:)[^\s/@]{1,256}(?=@)/g, removed],
  [
    new RegExp(String.raw`(\\*"${secretNames}\\*"\s{0,9}:\s{0,9})(?:"(?:[^"\\]|\\.)*"?|\\+".*?\\+"|[^\s,}\]]+)`, "gi"),
    `$1"${removed}"`,
  ],
  [
    new RegExp(String.raw`(\b${secretNames}\s{0,9}(?:=|:)\s{0,9})(?:'[^']*'?|"[^"]*"?|[^\s,;&)]+)`, "gi"),
    `$1${removed}`,
  ],
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, removed],
];

/**
 * Removes secrets and personal data of well-known shapes: private keys, JSON web tokens, API keys, credentials in URLs and headers,
 * values of names such as `password`, e-mail addresses, payment card numbers. What has no shape, such as a name, stays.
 */
export function redactSecrets(text: string): string {
  const redacted = patterns.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
  return redacted.replace(/\b\d(?:[ -]?\d){12,18}\b/g, (digits) => (isCardNumber(digits) ? removed : digits));
}

/** The check digit of ISO/IEC 7812-1 (Luhn). */
function isCardNumber(text: string): boolean {
  const digits = [...text.replaceAll(/\D/g, "")].map(Number).reverse();
  const sum = digits.reduce((total, digit, index) => {
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}
