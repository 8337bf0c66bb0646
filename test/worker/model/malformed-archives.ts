import { readFileSync } from "node:fs";
import type { MalformedCheckpoint } from "./malformed-checkpoint.ts";
import { fixture } from "./read-tensors.ts";
import { view, zipOf } from "./tensor-pickle.ts";
import { storedZip, torchZip } from "./write-torch.ts";

const SOUND_ZIP = readFileSync(fixture("golden/tiny_s.original.pth"));
const damagedZip = (change: (bytes: Buffer) => void) => {
  const bytes = Buffer.from(SOUND_ZIP);
  change(bytes);
  return bytes;
};
const CENTRAL = SOUND_ZIP.readUInt32LE(SOUND_ZIP.lastIndexOf("PK\x05\x06") + 16);

/** Files of torch whose zip archive is wrong. */
export const MALFORMED_ARCHIVES: MalformedCheckpoint[] = [
  ["is a zip's first four bytes", Buffer.from("PK\x03\x04"), /is cut off/],
  ["is a zip without an end", Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(60)]), /has no end/],
  ["is a zip cut in half", SOUND_ZIP.subarray(0, SOUND_ZIP.length / 2), /has no end/],
  [
    "is a zip whose directory lies outside",
    damagedZip((b) => b.writeUInt32LE(0xfffffff0, b.lastIndexOf("PK\x05\x06") + 16)),
    /lies outside the file/,
  ],
  [
    "is a zip with a damaged directory",
    damagedZip((b) => b.writeUInt32LE(0, CENTRAL)),
    /directory is damaged at entry 0/,
  ],
  [
    "is a zip with an entry elsewhere",
    damagedZip((b) => b.writeUInt32LE(5, CENTRAL + 42)),
    /not where the directory says/,
  ],
  [
    "is a zip with an entry beyond the file",
    damagedZip((b) => b.writeUInt32LE(2 ** 31, CENTRAL + 42)),
    /lies outside the file/,
  ],
  [
    "is a zip with a compressed entry",
    damagedZip((b) => b.writeUInt16LE(8, CENTRAL + 10)),
    /compressed or encrypted/,
  ],
  [
    "is a zip with an encrypted entry",
    damagedZip((b) => b.writeUInt16LE(1, CENTRAL + 8)),
    /compressed or encrypted/,
  ],
  [
    "is a zip with an entry of 4 GB",
    damagedZip((b) => b.writeUInt32LE(0xffffffff, CENTRAL + 24)),
    /is cut off/,
  ],
  ["is a zip of something else", storedZip({ "a.txt": Buffer.from("hello") }), /without data\.pkl/],
  [
    "is a zip with two pickles of one name",
    storedZip({ "x/data.pkl": Buffer.from("a"), "x/data.pkl ": Buffer.from("b") }, true),
    /two entries x\/data\.pkl/,
  ],
  [
    "is big-endian",
    torchZip(view({}), { byteorder: Buffer.from("big"), "data/0": new Uint8Array(16) }),
    /big-endian/,
  ],
  ["lacks a storage", torchZip(view({})), /data of storage 0 is missing/],
  [
    "has a storage that is too short",
    zipOf(view({}), new Uint8Array(12)),
    /storage 0 has 12 bytes, 16 expected/,
  ],
];
