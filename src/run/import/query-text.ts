/** Strings, quoted names, comments, blanks. */
const pieces = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|\s+/g;
const quoted = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]/g;

/**
 * A query in one spelling: no semicolon at its end, one blank where words meet and none around punctuation (every one is a token that
 * a model must write), and strings in single quotes. SQLite's older form, a string in double quotes where nothing has that
 * name, is off in the database that agents use.
 * @param names Tables and columns, in lower case.
 */
export function tidyQuery(query: string, names: ReadonlySet<string>): string {
  const aliases = new Set(
    [...query.matchAll(/\bas\s+"((?:[^"]|"")*)"/gi)].map(([, alias = ""]) => alias.toLowerCase()),
  );
  const isName = (name: string) => names.has(name.toLowerCase()) || aliases.has(name.toLowerCase());
  const spaced = query.replace(pieces, (piece) => {
    if (/^(?:\s|--|\/\*)/.test(piece)) return " ";
    if (!piece.startsWith('"')) return piece;
    const inner = piece.slice(1, -1).replaceAll('""', '"');
    return isName(inner) ? piece : `'${inner.replaceAll("'", "''")}'`;
  });
  const tight = outside(spaced, quoted, (code) =>
    code
      .replace(/ *([=<>!,()]) */g, "$1")
      .replace(/\)(?=\w)/g, ") ")
      .replace(/ +/g, " "),
  );
  return tight.trim().replace(/[; ]+$/, "");
}

/** What a query asks apart from its literals: equal for queries that differ in these, in case and in blanks alone. */
export function queryTemplate(query: string): string {
  return query
    .replace(/'(?:[^']|'')*'/g, "?")
    .replace(/(?<![\w.])\d+(?:\.\d+)?(?![\w.])/g, "?")
    .replace(/\s+/g, " ")
    .toLowerCase();
}

/** Changes what lies between the matches of a pattern. */
function outside(text: string, pattern: RegExp, change: (part: string) => string): string {
  let result = "";
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    result += change(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return result + change(text.slice(from));
}
