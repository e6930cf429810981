import { sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint, parseCheckpoint, signCheckpoint } from "../../src/audit/checkpoint.ts";
import { formatVkey, keyId, parseVkey } from "../../src/audit/note-key.ts";
import { openNote, signNote } from "../../src/audit/signed-note.ts";
import { signer, stranger } from "./sample-log.ts";

/** The example of Go's golang.org/x/mod/sumdb/note. */
const goVkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const goText = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const goNote = `${goText}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const origin = "faraday.invalid/run-1/0123456789abcdef";
const root = "ab".repeat(32);
const good = signCheckpoint({ origin, size: 20_852_163, root }, signer);

describe("a signed note", () => {
  it("of Go's sumdb opens with its verifier key", () => {
    const key = parseVkey(goVkey);
    expect(key.name).toBe("PeterNeumann");
    expect(formatVkey(key.name, key.publicKey)).toBe(goVkey);
    expect(openNote(goNote, key)).toEqual({ status: "signed", text: goText });
    expect(openNote(goNote.replace("answer", "Answer"), key).status).toBe("forged");
  });

  it("has the lines and the key id of C2SP signed-note", () => {
    const note = signNote("text\n", { name: origin, ...signer });
    const [text, empty, line, end] = note.split("\n");
    const [dash, name, encoded] = (line as string).split(" ");
    const bytes = Buffer.from(encoded as string, "base64");
    expect([text, empty, end, dash, name, bytes.length]).toEqual(["text", "", "", "\u2014", origin, 68]);
    expect(bytes.subarray(0, 4).toString("hex")).toBe(keyId(origin, signer.publicKey));
    expect(bytes.subarray(4)).toEqual(sign(null, Buffer.from("text\n"), signer.privateKey));
  });

  it("may have signatures by others, which are ignored whatever they are worth", () => {
    const key = { name: origin, publicKey: signer.publicKey };
    const strange = good.note.replace(good.note.split("\n\n")[1] as string, "");
    const others = ["witness.example", origin].map((name) => {
      const text = good.note.slice(0, good.note.indexOf("\n\n") + 1);
      return signNote(text, { name, ...stranger }).split("\n\n")[1] as string;
    });
    expect(openNote(`${good.note}${others.join("")}`, key).status).toBe("signed");
    expect(openNote(`${strange}${others.join("")}`, key).status).toBe("unsigned");
    const forged = (good.note.split("\n\n")[1] as string).replace(/.{8}=\n$/, "AAAAAAA=\n");
    expect(openNote(`${good.note}${forged}`, key).status).not.toBe("signed");
  });

  it.each([
    ["no empty line", goNote.replace("\n\n", "\n")],
    ["no signature", `${goText}\n`],
    ["no last line feed", goNote.slice(0, -1)],
    ["a hyphen for the dash", goNote.replace("—", "-")],
    ["two spaces", goNote.replace("— ", "—  ")],
    ["a carriage return", goNote.replaceAll("\n", "\r\n")],
    ["a tab in the text", goNote.replace("you think", "you\tthink")],
    ["half a surrogate pair", goNote.replace("you think", "you\ud800think")],
    ["base64 without padding", goNote.replace("nAM=", "nAM")],
    ["base64 that is not canonical", goNote.replace("nAM=", "nAN=")],
    ["a line behind the signatures", `${goNote}more\n`],
    ["a name with a plus", goNote.replace("PeterNeumann ", "Peter+Neumann ")],
    ["too many signatures", goNote + (goNote.split("\n\n")[1] as string).repeat(100)],
    ["too many bytes", "x".repeat(100_000) + goNote],
  ])("is malformed with %s", (_, note) => {
    expect(openNote(note, parseVkey(goVkey)).status).toBe("malformed");
  });

  it("cannot be made of a text or under a name that the format forbids", () => {
    for (const text of ["", "no line feed", "a\rb\n"])
      expect(() => signNote(text, { name: origin, ...signer })).toThrow(RangeError);
    for (const name of ["", "a b", "a+b", "a\u00a0b"])
      expect(() => signNote("a\n", { name, ...signer })).toThrow(RangeError);
  });
});

describe("a verifier key", () => {
  it.each([
    ["another id", goVkey.replace("c74f20a3", "c74f20a4")],
    ["another name", goVkey.replace("Peter", "Petra")],
    ["another type", goVkey.replace("+ARpc", "+AhpC")],
    ["bytes missing", goVkey.slice(0, -4)],
    ["nothing", ""],
  ])("is refused with %s", (_, text) => {
    expect(() => parseVkey(text)).toThrow(/verifier key/);
  });
});

describe("a checkpoint", () => {
  it("opens with the key that signed it, and with no other", () => {
    expect(openCheckpoint(good.note, signer.publicKey)).toEqual({ status: "signed", checkpoint: good });
    expect(openCheckpoint(good.note, stranger.publicKey)).toMatchObject({
      status: "unsigned",
      claimed: { size: 20_852_163 },
    });
    expect(good.note.split("\n").slice(0, 3)).toEqual([
      origin,
      "20852163",
      Buffer.from(root, "hex").toString("base64"),
    ]);
  });

  it.each([
    ["a size with a leading zero", `${origin}\n020\n${"q6ur".repeat(10)}q6s=\n`],
    ["a size with a sign", `${origin}\n+20\n${"q6ur".repeat(10)}q6s=\n`],
    ["a size beyond what counts exactly", `${origin}\n99999999999999999999\n${"q6ur".repeat(10)}q6s=\n`],
    ["an empty size", `${origin}\n\n${"q6ur".repeat(10)}q6s=\n`],
    ["an origin with a space", `a b\n20\n${"q6ur".repeat(10)}q6s=\n`],
    ["no origin", `\n20\n${"q6ur".repeat(10)}q6s=\n`],
    ["a short root", `${origin}\n20\nq6ur\n`],
    ["a root that is not canonical", `${origin}\n20\n${"q6ur".repeat(10)}q6t=\n`],
    ["an extension line", `${origin}\n20\n${"q6ur".repeat(10)}q6s=\nmore\n`],
    ["no root", `${origin}\n20\n`],
  ])("is malformed with %s", (_, text) => {
    expect(parseCheckpoint(text)).toBeTypeOf("string");
    const note = text.startsWith("\n") ? `${text}\n— x AAAA\n` : signNote(text, { name: origin, ...signer });
    expect(openCheckpoint(note, signer.publicKey).status).toBe("malformed");
  });

  it("does not open with any one byte changed", () => {
    const bytes = Buffer.from(good.note);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, mask) => {
        const changed = Buffer.from(bytes);
        changed[position] = (changed[position] as number) ^ mask;
        expect(openCheckpoint(changed.toString("utf8"), signer.publicKey).status).not.toBe("signed");
      }),
      { numRuns: 2_000 },
    );
  });

  it("cannot be signed for what is none", () => {
    for (const bad of [{ size: -1 }, { size: 1.5 }, { root: "ab" }, { origin: "a b" }]) {
      expect(() => signCheckpoint({ origin, size: 1, root, ...bad }, signer)).toThrow(RangeError);
    }
  });
});
