import { hash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { InputError, messageOf } from "../../core/errors.ts";
import { HttpError } from "./http-error.ts";
import type { Access } from "./route.ts";

interface Token {
  readonly access: "read" | "write";
  readonly digest: Buffer;
}

const lengthMin = 16;
const tokenText = /^[A-Za-z0-9._~+/=-]+$/;

/** Who may do what. Tokens are kept as digests of one length, and all are compared in full, so that time tells nothing. */
export class Tokens {
  readonly #tokens: readonly Token[];

  private constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  /** Everybody may do everything. */
  static none(): Tokens {
    return new Tokens([]);
  }

  /**
   * A file of tokens, one a line, `read TOKEN` or `write TOKEN` (which may read too); a lone `TOKEN` may write. Empty lines and those
   * that begin with # are nothing.
   * @throws {InputError} where others may read the file, or it has no token, or one that is none.
   */
  static fromFile(path: string): Tokens {
    return Tokens.of(readPrivate(path).split("\n"), path);
  }

  /** The same, of the lines of a file. */
  static of(lines: readonly string[], path = "tokens"): Tokens {
    const tokens = lines
      .map((line) => line.trim())
      .flatMap((line, index) => (line === "" || line.startsWith("#") ? [] : [tokenOf(line, `${path}:${index + 1}`)]));
    if (tokens.length === 0) throw new InputError(`${path} has no token; write one a line: read TOKEN, or write TOKEN`);
    return new Tokens(tokens);
  }

  get required(): boolean {
    return this.#tokens.length > 0;
  }

  /** @throws {HttpError} 401 without a token that is known, 403 for a token that may only read. */
  check(access: Access, authorization: string | undefined): void {
    if (access === "open" || !this.required) return;
    const given = bearerOf(authorization);
    const held = given === undefined ? undefined : this.#find(given);
    if (held === undefined) {
      throw new HttpError(401, "a bearer token is required", { "WWW-Authenticate": 'Bearer realm="faraday"' });
    }
    if (access === "write" && held === "read") throw new HttpError(403, "this token may only read");
  }

  #find(given: string): Token["access"] | undefined {
    const digest = digestOf(given);
    let found: Token["access"] | undefined;
    for (const token of this.#tokens) if (timingSafeEqual(token.digest, digest)) found = token.access;
    return found;
  }
}

/** Refuses a file that others may read. */
function readPrivate(path: string): string {
  try {
    const { mode } = statSync(path);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new InputError(`${path} holds tokens and others may read it; chmod 600 ${path}`);
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`--token-file: ${messageOf(error)}`, { cause: error });
  }
}

function tokenOf(line: string, where: string): Token {
  const [first = "", second, ...more] = line.split(/\s+/);
  const [access, token] = second === undefined ? ["write", first] : [first, second];
  if ((access !== "read" && access !== "write") || more.length > 0) {
    throw new InputError(`${where} must be read TOKEN, write TOKEN or TOKEN`);
  }
  if (token.length < lengthMin || !tokenText.test(token)) {
    throw new InputError(`${where}: a token has ${lengthMin} or more of the characters A–Z a–z 0–9 . _ ~ + / = -`);
  }
  return { access, digest: digestOf(token) };
}

/** The token of `Bearer TOKEN`, or the password of `Basic`: clients that cannot send a header of their own can have it in the URL. */
function bearerOf(authorization: string | undefined): string | undefined {
  const [, scheme = "", value = ""] = /^(\w+) +(\S+) *$/.exec(authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  const [, ...password] = Buffer.from(value, "base64").toString("utf8").split(":");
  return password.join(":");
}

function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
