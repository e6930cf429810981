/**
 * PostgreSQL's text has no U+0000, and what an agent writes may. It is kept as U+E000 and a 0, and U+E000 itself as U+E000 and a 1: a
 * character of the private use area, which no text is expected to have.
 */
export function escaped(text: string): string {
  if (!text.includes("\0") && !text.includes(mark)) return text;
  return text.replaceAll(mark, `${mark}1`).replaceAll("\0", `${mark}0`);
}

export function unescaped(text: string): string {
  if (!text.includes(mark)) return text;
  return text.replaceAll(`${mark}0`, "\0").replaceAll(`${mark}1`, mark);
}

const mark = "\ue000";
