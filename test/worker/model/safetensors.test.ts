import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readSafetensors } from "../../../worker/model/checkpoint/safetensors.ts";

const dir = mkdtempSync(join(tmpdir(), "tresline-safetensors-"));
afterAll(() => rmSync(dir, { recursive: true }));
let files = 0;

function write(header: unknown, data: Uint8Array, headerSize?: bigint): string {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(headerSize ?? BigInt(json.length));
  const path = join(dir, `${files++}.safetensors`);
  writeFileSync(path, Buffer.concat([prefix, json, data]));
  return path;
}

const entry = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

test("values of every float type are read as fp32", () => {
  const data = Buffer.concat([
    floats(1.5, -2),
    new Uint8Array(Float64Array.of(0.1).buffer),
    Buffer.from([0x00, 0x3e, 0x00, 0xc0, 0x01, 0x00]),
    Buffer.from([0xc0, 0x3f]),
  ]);
  const tensors = readSafetensors(
    write(
      {
        a: entry("F32", [2, 1], 0, 8),
        d: entry("F64", [], 8, 16),
        h: entry("F16", [3], 16, 22),
        b: entry("BF16", [1], 22, 24),
      },
      data,
    ),
  );
  expect(tensors.get("a")).toMatchObject({ shape: [2, 1], dtype: "F32" });
  const values = (name: string) => [...(tensors.get(name)?.read() ?? [])];
  expect(values("a")).toEqual([1.5, -2]);
  expect(values("d")).toEqual([Math.fround(0.1)]);
  expect(values("h")).toEqual([1.5, -2, 2 ** -24]);
  expect(values("b")).toEqual([1.5]);
});

test.each<[string, unknown, Uint8Array, RegExp, bigint?]>([
  ["a header of 2^63 bytes", {}, floats(), /its header claims 9223372036854775808 bytes/, 2n ** 63n],
  ["a header longer than the file", {}, floats(), /its header claims 3 bytes, the file has 10/, 3n],
  ["a header that is not JSON", "{a}", floats(), /its header is not a JSON object/],
  ["a header that is a list", [], floats(), /its header is not a JSON object/],
  [
    "overlapping tensors",
    { a: entry("F32", [2], 0, 8), b: entry("F32", [2], 4, 12) },
    floats(1, 2, 3),
    /tensor b begins at byte 4 .* 8 expected/,
  ],
  [
    "a gap between tensors",
    { a: entry("F32", [1], 0, 4), b: entry("F32", [1], 8, 12) },
    floats(1, 2, 3),
    /overlap or leave a gap/,
  ],
  [
    "a shape that does not match its bytes",
    { a: entry("F32", [3], 0, 8) },
    floats(1, 2),
    /needs 12 bytes but has 8/,
  ],
  ["data that is cut off", { a: entry("F32", [2], 0, 8) }, floats(1), /it is truncated/],
  ["bytes after the last tensor", { a: entry("F32", [1], 0, 4) }, floats(1, 2), /4 bytes follow/],
  ["a negative offset", { a: entry("F32", [1], -4, 0) }, floats(1), /entry for a is not valid/],
  [
    "a shape too large to count",
    { a: entry("F32", [2 ** 52, 2 ** 52], 0, 4) },
    floats(1),
    /needs .* bytes but has 4/,
  ],
  ["an unknown type", { a: entry("F4", [8], 0, 4) }, floats(1), /unsupported type F4/],
])("a file with %s is refused", (_fault, header, data, message, headerSize) => {
  const path = write(header, data, headerSize);
  expect(() => readSafetensors(path)).toThrow(message);
  expect(() => readSafetensors(path)).toThrow(path);
});

test("a value that is not finite, and weights that are integers, are refused when they are read", () => {
  const tensors = readSafetensors(
    write({ a: entry("F32", [2], 0, 8), i: entry("I32", [1], 8, 12) }, floats(1, NaN, 0)),
  );
  expect(() => tensors.get("a")?.read()).toThrow(/tensor a has the value NaN at element 1/);
  expect(() => tensors.get("i")?.read()).toThrow(/tensor i has the type I32/);
});
