import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readLines } from "../../../worker/scan/read-lines.ts";

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function linesOf(text: string, pieceSize: number, maxBytes = Infinity) {
  const found: { text: string | undefined; end: number }[] = [];
  for await (const { bytes, end } of readLines(inPieces(Buffer.from(text), pieceSize), maxBytes))
    found.push({ text: bytes && Buffer.from(bytes).toString(), end });
  return found;
}

test("however a stream is cut into pieces, its lines are the same, and each says where the next begins", async () => {
  const lines = fc.array(fc.stringMatching(/^[aé ]{0,9}$/), { minLength: 1, maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(lines, fc.boolean(), fc.integer({ min: 1, max: 12 }), async (texts, ended, size) => {
      const whole = texts.join("\n") + (ended ? "\n" : "");
      // What comes after the last line feed is a line only when there is something.
      const expected = ended || texts.at(-1) !== "" ? texts : texts.slice(0, -1);
      const found = await linesOf(whole, size);
      expect(found.map(({ text }) => text)).toEqual(expected);
      for (const [i, { text, end }] of found.entries()) {
        const own = Buffer.from(whole).subarray(found[i - 1]?.end ?? 0, end);
        expect(own.toString()).toBe(i + 1 < texts.length || ended ? `${text}\n` : text);
      }
    }),
  );
});

test("a line that is too long is told without its bytes, and the next one is read", async () => {
  const found = await linesOf(`ab\n${"x".repeat(11)}\n${"y".repeat(10)}`, 4, 10);
  expect(found.map(({ text }) => text)).toEqual(["ab", undefined, "y".repeat(10)]);
});
