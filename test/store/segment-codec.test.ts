import { expect, test } from "vitest";
import { recordHash } from "../../src/core/audit.ts";
import { packSegment, unpackSegment } from "../../src/store/sql/segment-codec.ts";
import { packed, unpacked } from "../../src/store/sql/zstd.ts";
import { Recorder } from "./recorder.ts";

const recorder = new Recorder(1);
for (let index = 0; index < 12; index++) recorder.episode(`train-1-0-${index}`, [[], []]);
const sealed = recorder.seal().bytes;

/** For each line but the first, whether it names the one before. */
function links(bytes: Uint8Array): boolean[] {
  const lines = Buffer.from(bytes).toString().trimEnd().split("\n");
  return lines.slice(1).map((line, index) => JSON.parse(line).previous === recordHash(lines[index] as string));
}

test("what is packed comes back byte for byte, and takes a fifth of the room", () => {
  const column = packSegment(sealed);
  expect(Buffer.from(unpackSegment(column)).equals(Buffer.from(sealed))).toBe(true);
  expect(column.length).toBeLessThan(sealed.length / 5);
  expect(links(sealed).every(Boolean)).toBe(true);
});

test.each([0, 7, 40])(
  "a line that was changed within a column is the one that the next line does not name: line %i",
  (line) => {
    const column = packSegment(sealed);
    const lines = Buffer.from(unpacked(column.subarray(1)))
      .toString()
      .split("\n");
    lines[line] = (lines[line] as string).replace(/"episode":"train-/, '"episode":"TRAIN-');
    const changed = Buffer.concat([column.subarray(0, 1), packed(Buffer.from(lines.join("\n")))]);
    const found = links(unpackSegment(changed));
    expect(found.flatMap((holds, index) => (holds ? [] : [index]))).toEqual([line]);
  },
);
