/**
 * Records of a CSV or TSV text (RFC 4180): a field in double quotes may hold separators, line breaks and, doubled, quotes. A quote
 * in the middle of a field is a character like any other. Blank lines are passed over.
 */
export function separatedValues(text: string, separator: "," | "\t"): string[][] {
  const field = new RegExp(
    `(?:"((?:[^"]|"")*)"(?=[${separator}\\r\\n]|$)|([^${separator}\\r\\n]*))(${separator}|\\r?\\n|\\r|$)`,
    "y",
  );
  const records: string[][] = [];
  let record: string[] = [];
  while (field.lastIndex < text.length) {
    const [, quoted, plain = "", end] = field.exec(text) as RegExpExecArray;
    record.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === separator && field.lastIndex < text.length) continue;
    if (end === separator) record.push("");
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}
