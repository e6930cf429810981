import { FaradayError, messageOf } from "./errors.ts";

/** How a connection fails that nobody takes. */
const unreached = ["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"];

/** What to do about what the machine refuses, by the system's codes (errno(3)) … */
const advice: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space on it",
  EDQUOT: "your share of the disk is full; free some of it",
  EROFS: "the disk is mounted read-only; make it writable",
  EACCES: "this user may not; change the owner or the mode of the folder",
  EPERM: "this user may not; change the owner or the mode of the folder",
  EMFILE: "this process may open no more files; raise the limit with ulimit -n",
  ENFILE: "this machine may open no more files; close other programs",
  ENOENT: "it, or the folder that holds it, is gone; it must stay where it is",
  EIO: "the disk fails; see the system's log",
  ...Object.fromEntries(unreached.map((code) => [code, "see that its server runs and takes connections"])),
};

/** … and by those of SQLite, https://www.sqlite.org/rescode.html. */
const sqliteAdvice: Readonly<Record<number, string>> = {
  5: "another process holds the database; end that, or wait until it is done",
  8: "the database cannot be written; make its file and folder writable, and leave them where they are",
  10: "the disk is full or fails, or the database was removed; free some space, and see the system's log",
  11: "the database is damaged; bring back a copy of it",
  13: "the disk is full; free some space on it",
  14: "the database cannot be opened; its folder must be there and writable, and ulimit -n leave room for its files",
  26: "the database is damaged; bring back a copy of it",
};

const asText = new RegExp(`\\b(?:${["ENOSPC", "EDQUOT", "EROFS", "EMFILE", "ENFILE", ...unreached].join("|")})\\b`);

/**
 * Where an error comes of the machine and not of us, what its user can do about it.
 * @returns `null` for any other error.
 */
export function adviceOn(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof FaradayError && cause.advice !== null) return cause.advice;
    if ("errcode" in cause) return sqliteAdvice[Number(cause.errcode) & 0xff] ?? null;
    if ("code" in cause && "syscall" in cause) return advice[String(cause.code)] ?? null;
  }
  // An error of a worker has come through as text, and so have those of several addresses of one server.
  const [code = ""] = asText.exec(messageOf(error)) ?? [];
  return advice[code] ?? null;
}
