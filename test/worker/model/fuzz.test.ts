import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { readCheckpoint } from "../../../worker/model/checkpoint/read-checkpoint.ts";
import { ModelError } from "../../../worker/model/model-error.ts";
import { fixture } from "./read-tensors.ts";

const dir = mkdtempSync(join(tmpdir(), "tresline-fuzz-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Where a file's structure is, in bytes: its head with the header or pickle, and its end with a zip's directory. */
const STRUCTURE = 12_000;

test.each(["tiny_s.safetensors", "tiny_s.original.pth", "tiny_s.legacy_nonzip.pth"])(
  "%s with any bytes changed or cut is read or refused, but breaks nothing",
  (name) => {
    const sound = readFileSync(fixture(`golden/${name}`));
    const path = join(dir, name);
    const position = fc.oneof(
      fc.nat(STRUCTURE),
      fc.nat(STRUCTURE).map((at) => sound.length - 1 - at),
    );
    const change = fc.tuple(position, fc.nat(255));
    const cut = fc.oneof(
      { weight: 4, arbitrary: fc.constant(sound.length) },
      { weight: 1, arbitrary: fc.nat(sound.length) },
    );
    let refused = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), cut, (changes, length) => {
        const bytes = Buffer.from(sound);
        for (const [at, value] of changes) bytes[at] = value;
        writeFileSync(path, bytes.subarray(0, length));
        try {
          for (const tensor of readCheckpoint(path).tensors.values()) tensor.read();
        } catch (error) {
          if (!(error instanceof ModelError)) throw error;
          refused++;
        }
      }),
      { numRuns: 250, seed: 20_261_122 },
    );
    expect(refused).toBeGreaterThan(50);
  },
);
