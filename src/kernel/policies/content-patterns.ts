/** Something that content may hold and should not, and how it is found. */
export interface ContentPattern {
  readonly name: string;
  readonly expression: RegExp;
  /** Whether what the expression found is the real thing. */
  readonly confirms?: (text: string) => boolean;
}

/**
 * Written by hand so that they run in time linear in the text but for a bounded factor: every repetition has a bound, and what
 * follows one cannot be part of it.
 */
const expressions = {
  email: /(?<![\w.+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![\w-])/g,
  phone:
    /(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?(?:\d{1,4}[ .-]?){1,5}\d{2,4}|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4})(?![\w-])/g,
  "credit-card": /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g,
  iban: /(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)/g,
  ipv4: /(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)/g,
  "us-ssn": /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g,
  "aws-key": /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
  "github-token": /(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})(?!\w)/g,
  "private-key":
    /-----BEGIN (?:[A-Z]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:[A-Za-z0-9+/=\s:,.\\]|-(?!-)){0,16384}-----END (?:[A-Z]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?/g,
  jwt: /(?<![\w-])eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{4,8192}\.[A-Za-z0-9_-]{0,2048}(?![\w-])/g,
  "api-key":
    /(?<![A-Za-z0-9])(?:api|access|auth|secret|private)[_-]?(?:key|token|secret)["']?\s{0,4}[:=]\s{0,4}["']?[A-Za-z0-9_\-./+]{16,512}={0,2}["']?/gi,
} as const;

export type ContentPatternName = keyof typeof expressions;
export const contentPatternNames = Object.keys(expressions) as [ContentPatternName, ...ContentPatternName[]];

const confirmations: Partial<Record<ContentPatternName, (text: string) => boolean>> = {
  "credit-card": isLuhn,
  iban: isIban,
  phone: (text) => {
    const digits = digitsOf(text).length;
    return digits >= 8 && digits <= 15;
  },
};

export function builtInPattern(name: ContentPatternName): ContentPattern {
  const confirms = confirmations[name];
  return { name, expression: expressions[name], ...(confirms === undefined ? {} : { confirms }) };
}

/** ISO/IEC 7812-1: from the right, every second digit doubled, digits summed, divisible by ten. */
export function isLuhn(text: string): boolean {
  const digits = digitsOf(text);
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits.length >= 13 && !/^0+$/.test(digits) && sum % 10 === 0;
}

/** ISO 13616: the first four characters go to the end, letters count from A = 10, and the number is 1 modulo 97. */
export function isIban(text: string): boolean {
  const plain = text.replaceAll(" ", "");
  if (plain.length < 15 || plain.length > 34) return false;
  let rest = 0;
  for (const character of plain.slice(4) + plain.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, "");
}
