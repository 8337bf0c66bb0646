import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeKey,
  encodedFile,
  encodedFolder,
  encodeKey,
  pathOfKey,
} from "../../../shared/storage/key-path.ts";

const segment = fc
  .string({ unit: fc.constantFrom(...("ab.%+ é日🦊".match(/./gu) ?? [])), minLength: 1, maxLength: 300 })
  .filter((text) => text !== "." && text !== "..");
const keys = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));

test("ordinary keys are ordinary paths", () => {
  const key = "results/acme/2026/11/22/cls_1.json";
  expect(pathOfKey(key)).toEqual(key.split("/"));
});

test("every key comes back from its path, whose names a file system takes", () => {
  fc.assert(
    fc.property(keys, (original) => {
      const path = pathOfKey(original);
      for (const name of path) {
        expect(name).toMatch(/^[\w.%+!~*'()-]{1,242}$/);
        expect(["", ".", ".."]).not.toContain(name);
      }
      const encoded = path.slice(0, -1).map(encodedFolder).join("") + encodedFile(path.at(-1) ?? "");
      expect(decodeKey(encoded)).toBe(original);
    }),
  );
});

test("no key's file is another key's file or folder", () => {
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      fc.pre(one !== other);
      const [file, path] = [pathOfKey(one).join("/"), pathOfKey(other).join("/")];
      expect(`${path}/`.startsWith(`${file}/`)).toBe(false);
    }),
  );
});

test("the encoding of a key's beginning is the beginning of its encoding", () => {
  fc.assert(
    fc.property(keys, fc.nat(40), (whole, length) => {
      const beginning = Array.from(whole).slice(0, length).join("");
      expect(encodeKey(whole).startsWith(encodeKey(beginning))).toBe(true);
    }),
  );
});
