/** The bytes of standard base64 with its padding (RFC 4648 section 4), or `null` where it is not the one way to write them. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
