/** Text that is HTML already. Only {@link html} makes it, so nothing gets into a page unescaped. */
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type { Markup };

export type Content = string | number | Markup | null | readonly Content[];

/** A template whose every value is escaped, unless it is markup itself. `null` is nothing, a list is its items. */
export function html(literals: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(literals.reduce((text, literal, index) => `${text}${textOf(values[index - 1] ?? null)}${literal}`));
}

function textOf(content: Content): string {
  if (content === null) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "string" || typeof content === "number") return escaped(visible(String(content)));
  return content.map(textOf).join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

/** Characters that are unseen, or that turn the reading order of what follows them: they show as their code point. */
const unseen = /[^\P{C}\n\t]|\p{Zl}|\p{Zp}/gu;

function visible(text: string): string {
  return text.replace(unseen, (character) => `⟨U+${codePoint(character)}⟩`);
}

function codePoint(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}
