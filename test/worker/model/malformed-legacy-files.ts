import { readFileSync } from "node:fs";
import type { MalformedCheckpoint } from "./malformed-checkpoint.ts";
import { fixture } from "./read-tensors.ts";
import { view } from "./tensor-pickle.ts";
import { Pickle } from "./write-torch.ts";

const SOUND_LEGACY = readFileSync(fixture("golden/tiny_s.legacy_nonzip.pth"));

const legacy = (...pickles: Buffer[]) => Buffer.concat(pickles);
const MAGIC = new Pickle().long("6cfc9c46f9206aa85019").end();
const PROTOCOL = new Pickle().integer(1001).end();
const system = (littleEndian: boolean) =>
  new Pickle()
    .op(0x7d)
    .text("little_endian")
    .op(littleEndian ? 0x88 : 0x89, 0x73)
    .end();
const legacyOf = (object: Buffer, keys: Buffer, ...rest: Buffer[]) =>
  legacy(MAGIC, PROTOCOL, system(true), object, keys, ...rest);
const keysOf = (...keys: string[]) => new Pickle().list(keys).end();
const int64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
};

/** Files of torch before 1.6, pickles one after the other, that are wrong. */
export const MALFORMED_LEGACY_FILES: MalformedCheckpoint[] = [
  [
    "keys a storage by a nest of lists",
    legacyOf(view({}), new Pickle().op(0x5d).nest(60).op(0x61).end()),
    /a storage's key is no text/,
  ],
  [
    "is a pickle of something else",
    legacy(new Pickle().op(0x5d).end(), Buffer.alloc(16)),
    /not one that torch\.save wrote/,
  ],
  [
    "is of another protocol",
    legacy(MAGIC, new Pickle().integer(1002).end()),
    /not one that torch\.save wrote/,
  ],
  ["is a legacy file that is big-endian", legacy(MAGIC, PROTOCOL, system(false)), /not little-endian/],
  ["is a legacy file that ends after its pickles", legacyOf(view({}), keysOf("0")), /storage 0 is cut off/],
  [
    "is a legacy file without storage keys",
    legacyOf(view({}), new Pickle().op(0x7d).end()),
    /list of its storages is missing/,
  ],
  [
    "is a legacy file with a storage of nobody",
    legacyOf(view({}), keysOf("1"), int64(4n), Buffer.alloc(16)),
    /storage "1" belongs to no tensor/,
  ],
  ["is a legacy file that lacks a storage", legacyOf(view({}), keysOf()), /data of storage 0 is missing/],
  [
    "is a legacy file that lies about a count",
    legacyOf(view({}), keysOf("0"), int64(5n), Buffer.alloc(20)),
    /holds 5 elements, 4 expected/,
  ],
  [
    "is a legacy file with a negative count",
    legacyOf(view({}), keysOf("0"), int64(-1n), Buffer.alloc(16)),
    /holds -1 elements/,
  ],
  ["is a legacy file cut short", SOUND_LEGACY.subarray(0, -100), /is cut off: the file is truncated/],
  [
    "is a legacy file that calls os.system",
    legacyOf(new Pickle().global("os", "system").end(), keysOf()),
    /names "os\.system"/,
  ],
];
