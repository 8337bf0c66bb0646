import { crc32 } from "node:zlib";
import * as fc from "fast-check";

/** How a file is damaged: what is done, where (0 to 1 of its length) and with what. */
export interface Damage {
  kind: "flip" | "cut" | "splice" | "length" | "repeat" | "drop";
  at: number;
  span: number;
  bytes: Uint8Array;
}

/** Up to eight pieces of damage, half of them among the first bytes, where headers are. */
export const damages = fc.array(
  fc.record<Damage>({
    kind: fc.constantFrom("flip", "cut", "splice", "length", "repeat", "drop"),
    at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.05, noNaN: true })),
    span: fc.integer({ min: 1, max: 4_000 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** Numbers that lengths, counts and sizes are taken for. */
const LENGTHS = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** The file with the damage done to it; `other` is the file that is spliced in. The sums of a PNG's chunks are made right again, so that more than the sums is looked at. */
export function damage(file: Uint8Array, other: Uint8Array, done: readonly Damage[]): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(file);
  for (const { kind, at, span, bytes: given } of done) {
    const from = Math.floor(at * bytes.length);
    const to = Math.min(from + span, bytes.length);
    const head = bytes.subarray(0, from);
    if (kind === "cut") bytes = head;
    else if (kind === "drop") bytes = Buffer.concat([head, bytes.subarray(to)]);
    else if (kind === "repeat") bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    else if (kind === "splice") bytes = Buffer.concat([head, other.subarray(from, to), bytes.subarray(to)]);
    else bytes.set((kind === "flip" ? given : length(given)).subarray(0, bytes.length - from), from);
  }
  return withRightSums(bytes);
}

/** Two or four bytes of one of the numbers, either byte first. */
function length(given: Uint8Array): Uint8Array {
  const [which = 0, form = 0] = given;
  const number = LENGTHS[which % LENGTHS.length] ?? 0;
  const bytes = Buffer.alloc(4);
  if (form % 2 === 0) bytes.writeUInt32BE(number);
  else bytes.writeUInt32LE(number);
  return form % 4 < 2 ? bytes : bytes.subarray(form % 2 === 0 ? 2 : 0).subarray(0, 2);
}

function withRightSums(file: Uint8Array): Uint8Array {
  if (file[0] !== 0x89 || file[1] !== 0x50) return file;
  const bytes = Buffer.from(file);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) break;
    bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return bytes;
}
