import { DATA_START, SOUND, edited, entry, withHeader } from "./edit-safetensors.ts";
import type { MalformedCheckpoint } from "./malformed-checkpoint.ts";

const tensor = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
const oneTensor = (change: object) =>
  withHeader(JSON.stringify({ a: { ...tensor, ...change } }), new Uint8Array(4));

function repackedWithGap(): Buffer {
  const header = { a: tensor, b: { ...tensor, data_offsets: [8, 12] } };
  return withHeader(JSON.stringify(header), new Uint8Array(12));
}

/** Files in safetensors format whose header, or an entry of it, is wrong. */
export const MALFORMED_SAFETENSORS: MalformedCheckpoint[] = [
  // the header
  ["is empty", Buffer.alloc(0), /is cut off/],
  ["has three bytes", Buffer.from("abc"), /is cut off/],
  [
    "has a header of 2^63 bytes",
    withHeader("{}", undefined, 2n ** 63n),
    /header claims 9223372036854775808 bytes/,
  ],
  [
    "has a header of 2^64 - 1 bytes",
    withHeader("{}", undefined, 2n ** 64n - 1n),
    /header claims 18446744073709551615/,
  ],
  [
    "has a header one byte longer than the file",
    withHeader("{}", undefined, 3n),
    /header claims 3 bytes, the file has 10/,
  ],
  ["has an empty header", withHeader(""), /is cut off/],
  ["is text", Buffer.from("<!DOCTYPE html><html><body>404</body></html>"), /header claims/],
  ["has a header that is not JSON", withHeader("{a}"), /not a JSON object/],
  ["has a header that is not UTF-8", withHeader(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), /not a JSON object/],
  ["has a header that is a list", withHeader("[]"), /not a JSON object/],
  ["has a header that is null", withHeader("null"), /not a JSON object/],
  ["has a header nested a hundred thousand deep", withHeader("[".repeat(100_000)), /not a JSON object/],
  ["has no tensors", withHeader("{}"), /not a TResNet checkpoint/],
  ["holds another network", oneTensor({}), /not a TResNet checkpoint/],
  // the entries
  ["has an entry that is null", entry(null), /entry for head\.fc\.bias is not valid/],
  [
    "has an entry without a type",
    withHeader('{"a":{"shape":[1],"data_offsets":[0,4]}}', new Uint8Array(4)),
    /entry for a is not valid/,
  ],
  [
    "has an entry without a shape",
    withHeader('{"a":{"dtype":"F32","data_offsets":[0,4]}}', new Uint8Array(4)),
    /entry for a/,
  ],
  ["has an entry with an unknown field", entry({ strides: [1] }), /entry for head\.fc\.bias/],
  ["has a type that is a number", oneTensor({ dtype: 1 }), /entry for a is not valid/],
  ["has a type nobody knows", oneTensor({ dtype: "Q8" }), /unsupported type Q8/],
  ["has a negative dimension", oneTensor({ shape: [-1] }), /entry for a is not valid/],
  ["has half a dimension", oneTensor({ shape: [0.5] }), /entry for a is not valid/],
  ["has a dimension of 2^53", oneTensor({ shape: [2 ** 53] }), /entry for a is not valid/],
  [
    "has dimensions whose product overflows",
    oneTensor({ shape: [2 ** 40, 2 ** 40] }),
    /needs .* bytes but has 4/,
  ],
  ["has nine dimensions", oneTensor({ shape: Array(9).fill(1) }), /entry for a is not valid/],
  ["has offsets in reverse", oneTensor({ data_offsets: [4, 0] }), /needs 4 bytes but has -4/],
  ["has a negative offset", oneTensor({ data_offsets: [-4, 0] }), /entry for a is not valid/],
  [
    "has an offset beyond the file",
    oneTensor({ data_offsets: [0, 4], shape: [1], dtype: "F32" }).subarray(0, -1),
    /truncated/,
  ],
  [
    "has a tensor named __proto__",
    withHeader('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', new Uint8Array(4)),
    /not a TResNet/,
  ],
  [
    "has overlapping tensors",
    edited((h) => Object.assign(h["head.fc.bias"] ?? {}, { data_offsets: [0, 40] })),
    /overlap or leave a gap/,
  ],
  ["has a gap between tensors", repackedWithGap(), /overlap or leave a gap/],
  ["has bytes after the last tensor", Buffer.concat([SOUND, Buffer.alloc(3)]), /3 bytes follow/],
  ["lacks its last byte", SOUND.subarray(0, -1), /truncated/],
  ["lacks its second half", SOUND.subarray(0, SOUND.length / 2), /truncated/],
  ["ends with its header", SOUND.subarray(0, DATA_START), /truncated/],
  [
    "has a shape that does not match its bytes",
    entry({ shape: [11] }),
    /head\.fc\.bias .* needs 44 bytes but has 40/,
  ],
];
