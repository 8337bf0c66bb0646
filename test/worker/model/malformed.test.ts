import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixture } from "./read-tensors.ts";
import { tresline } from "./run-cli.ts";
import { Pickle, storedZip, torchZip } from "./write-torch.ts";

const root = mkdtempSync(join(tmpdir(), "tresline-malformed-"));
beforeAll(() => mkdirSync(join(root, "out")));
afterAll(() => rmSync(root, { recursive: true }));

const SOUND = readFileSync(fixture("golden/tiny_s.safetensors"));
const SOUND_ZIP = readFileSync(fixture("golden/tiny_s.original.pth"));
const SOUND_LEGACY = readFileSync(fixture("golden/tiny_s.legacy_nonzip.pth"));

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

function withHeader(header: string | Buffer, data: Uint8Array = new Uint8Array(), size?: bigint): Buffer {
  const bytes = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(size ?? BigInt(bytes.length));
  return Buffer.concat([prefix, bytes, data]);
}

const DATA_START = 8 + Number(SOUND.readBigUInt64LE());
function soundHeader(): Header {
  const { __metadata__: _, ...header } = JSON.parse(SOUND.toString("utf8", 8, DATA_START));
  return header;
}

/** The sound file with its header, and perhaps its data, changed. */
function edited(change: (header: Header, data: Buffer) => void): Buffer {
  const header = soundHeader();
  const data = Buffer.from(SOUND.subarray(DATA_START));
  change(header, data);
  return withHeader(JSON.stringify(header), data);
}

/** The sound file with one tensor's entry replaced. */
const entry = (change: object | null, name = "head.fc.bias") =>
  edited((header) => Object.assign(header, { [name]: change && { ...header[name], ...change } }));

/** The sound tensors in the order of their data, some left out, renamed or reshaped, packed anew. */
function repacked(
  rename: (name: string) => string | undefined,
  reshape = (_name: string, shape: number[]) => shape,
): Buffer {
  const header: Header = {};
  const parts: Buffer[] = [];
  let at = 0;
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(soundHeader())) {
    const renamed = rename(name);
    if (renamed === undefined) continue;
    const bytes = SOUND.subarray(DATA_START + data_offsets[0], DATA_START + data_offsets[1]);
    header[renamed] = { dtype, shape: reshape(name, shape), data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  return withHeader(JSON.stringify(header), Buffer.concat(parts));
}

const floatInData = (value: number) =>
  edited((header, data) => data.writeFloatLE(value, Number(header["head.fc.weight"]?.data_offsets[0]) + 8));

const tensor = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
const oneTensor = (change: object) =>
  withHeader(JSON.stringify({ a: { ...tensor, ...change } }), new Uint8Array(4));

/** A pickle that calls a Python function the way an exploit does. */
const calls = (module: string, name: string) =>
  torchZip(new Pickle().global(module, name).mark().text("touch /tmp/owned").op(0x74).op(0x52).end());

/** A state dict of one tensor whose storage and view are described by these numbers. */
const view = ({ count = 4, offset = 0, size = [4], stride = [1], kind = "storage", key = "0" }) =>
  new Pickle()
    .op(0x7d)
    .text("body.conv1.0.weight")
    .global("torch._utils", "_rebuild_tensor_v2")
    .mark()
    .storage(kind, "FloatStorage", key, count)
    .integer(offset)
    .tuple(size)
    .tuple(stride)
    .op(0x74, 0x52, 0x73)
    .end();

const zipOf = (pickle: Buffer, data = new Uint8Array(16)) => torchZip(pickle, { "data/0": data });
const damagedZip = (change: (bytes: Buffer) => void) => {
  const bytes = Buffer.from(SOUND_ZIP);
  change(bytes);
  return bytes;
};
const CENTRAL = SOUND_ZIP.readUInt32LE(SOUND_ZIP.lastIndexOf("PK\x05\x06") + 16);

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

const MALFORMED: [string, Buffer, RegExp][] = [
  // safetensors: the header
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
  // safetensors: the entries
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
  // the network
  ["has a weight that is not a number", floatInData(NaN), /head\.fc\.weight has the value NaN at element 2/],
  ["has a weight that is infinite", floatInData(-Infinity), /head\.fc\.weight has the value -Infinity/],
  ["has integers for weights", entry({ dtype: "I32" }), /head\.fc\.bias has the type I32/],
  [
    "lacks a norm's bias",
    repacked((n) => (n === "body.layer2.0.conv1.bn.bias" ? undefined : n)),
    /body\.layer2\.0\.conv1\.bn\.bias is missing/,
  ],
  ["lacks its head", repacked((n) => (n.startsWith("head.") ? undefined : n)), /it has no head/],
  [
    "lacks its stem",
    repacked((n) => (n === "body.conv1.conv.weight" ? undefined : n)),
    /not a TResNet checkpoint/,
  ],
  [
    "has a stage without blocks",
    repacked((n) => (n.startsWith("body.layer3") ? undefined : n)),
    /stage layer3 has no blocks/,
  ],
  [
    "skips a block number",
    repacked((n) => n.replace("layer4.0.", "layer4.1.")),
    /stage layer4 has no blocks/,
  ],
  [
    "has a tensor with no place",
    repacked((n) => (n === "head.fc.bias" ? "head.fc.bias2" : n)),
    /head\.fc\.bias is missing/,
  ],
  [
    "has one tensor too many",
    repacked((n) => (n.endsWith("conv1.bn.num_batches_tracked") ? `${n}2` : n)),
    /have no place in the network/,
  ],
  [
    "has a stem of one dimension",
    repacked(
      (n) => n,
      (n, s) => (n === "body.conv1.conv.weight" ? [3456] : s),
    ),
    /has the shape \[3456\]/,
  ],
  [
    "has a stem without planes",
    entry({ shape: [0, 48, 3, 3] }, "body.conv1.conv.weight"),
    /needs 0 bytes but has/,
  ],
  [
    "has kernels of another size",
    repacked(
      (n) => n,
      (n, s) => (n === "body.layer1.0.conv2.conv.weight" ? [8, 72, 1, 1] : s),
    ),
    /\[8, 72, 1, 1\], \[8, 8, 3, 3\] expected/,
  ],
  [
    "has an SE of another width",
    repacked(
      (n) => n,
      (n, s) => (n === "body.layer1.0.se.fc1.weight" ? [8, 64, 1, 1] : s),
    ),
    /se\.fc1\.weight has the shape/,
  ],
  [
    "has a transposed classifier",
    repacked(
      (n) => n,
      (n, s) => (n === "head.fc.weight" ? s.toReversed() : s),
    ),
    /head\.fc\.weight|head\.fc\.bias/,
  ],
  ["has a decoder that eight heads cannot share", withDecoderOf(20), /query_embed\.weight is 20 wide/],
  // torch: the archive
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
  // torch: the pickle
  ["calls os.system", calls("os", "system"), /names "os\.system"; a checkpoint may hold tensors/],
  ["calls posix.system", calls("posix", "system"), /names "posix\.system"/],
  ["calls eval", calls("builtins", "eval"), /names "builtins\.eval"/],
  ["calls subprocess.Popen", calls("subprocess", "Popen"), /names "subprocess\.Popen"/],
  ["imports a class of its own", calls("models.tresnet", "TResNet"), /names "models\.tresnet\.TResNet"/],
  ["reaches for __proto__", calls("__proto__", "constructor"), /names "__proto__\.constructor"/],
  [
    "hides os.system in STACK_GLOBAL",
    torchZip(new Pickle().text("os").text("system").op(0x93).end()),
    /names "os\.system"/,
  ],
  [
    "calls with INST",
    torchZip(new Pickle().mark().raw("ios\nsystem\n").end()),
    /opcode 0x69 .* has no place/,
  ],
  ["calls with NEWOBJ", torchZip(new Pickle().op(0x7d, 0x29, 0x81).end()), /opcode 0x81/],
  ["uses an extension code", torchZip(new Pickle().op(0x82, 1).end()), /opcode 0x82/],
  [
    "rebuilds a tensor from a number",
    torchZip(
      new Pickle()
        .op(0x7d)
        .text("a")
        .global("torch._utils", "_rebuild_tensor_v2")
        .tuple([1, 2])
        .op(0x52, 0x73)
        .end(),
    ),
    /tensor a has no storage/,
  ],
  ["calls a dict", torchZip(new Pickle().op(0x7d, 0x29, 0x52).end()), /calls something that is no function/],
  [
    "sets the state of a list",
    torchZip(new Pickle().op(0x5d, 0x7d, 0x62).end()),
    /sets the state of something that is no dict/,
  ],
  ["has a pickle that stops in the middle", zipOf(view({}).subarray(0, -8)), /ends in the middle/],
  ["has an empty pickle", torchZip(Buffer.alloc(0)), /ends in the middle, at byte 0/],
  ["takes from an empty stack", torchZip(new Pickle().op(0x30).end()), /takes from an empty stack/],
  ["closes a group it never opened", torchZip(new Pickle().op(0x74).end()), /closes a group it never opened/],
  [
    "recalls what it never stored",
    torchZip(new Pickle().op(0x68, 7).end()),
    /recalls object 7, which it never stored/,
  ],
  ["has text of 4 GB", torchZip(new Pickle().op(0x58, 0xff, 0xff, 0xff, 0xff).end()), /ends in the middle/],
  [
    "has text of 2^64 bytes",
    torchZip(new Pickle().op(0x8d, ...Array<number>(8).fill(0xff)).end()),
    /ends in the middle/,
  ],
  [
    "stores items in a number",
    torchZip(new Pickle().integer(1).integer(2).integer(3).op(0x73).end()),
    /stores items in something that is no dict/,
  ],
  [
    "appends to a dict",
    torchZip(new Pickle().op(0x7d).integer(1).op(0x61).end()),
    /appends to something that is no list/,
  ],
  [
    "refers to something that is no storage",
    zipOf(view({ kind: "module" })),
    /refers to something that is no storage/,
  ],
  [
    "has a storage of 2^62 elements",
    zipOf(view({ count: 2 ** 62 })),
    /refers to something that is no storage/,
  ],
  ["has a view beyond its storage", zipOf(view({ size: [5] })), /reaches beyond its storage of 4 elements/],
  ["has a view that begins beyond its storage", zipOf(view({ offset: 4 })), /reaches beyond its storage/],
  ["has a negative stride", zipOf(view({ stride: [-1] })), /makes no sense/],
  ["has a stride of nothing", zipOf(view({ size: [2 ** 30], stride: [0] })), /repeats elements/],
  [
    "has a size of 2^62",
    zipOf(view({ size: [2 ** 31, 2 ** 31], stride: [1, 1] })),
    /reaches beyond its storage/,
  ],
  ["has fewer strides than sizes", zipOf(view({ size: [2, 2] })), /makes no sense/],
  ["holds a list", torchZip(new Pickle().op(0x5d).end()), /it holds no state dict/],
  [
    "holds numbers by name",
    torchZip(new Pickle().op(0x7d).text("epoch").integer(3).op(0x73).end()),
    /entry "epoch" of the state dict is no tensor/,
  ],
  [
    "holds a model that is text",
    torchZip(new Pickle().op(0x7d).text("model").text("tresnet").op(0x73).end()),
    /its model is no state dict/,
  ],
  ["is another network's", zipOf(view({ size: [2, 2], stride: [2, 1] })), /stage layer1 has no blocks/],
  [
    "names a tensor by a nest of lists",
    torchZip(new Pickle().op(0x7d).nest(60).integer(1).op(0x73).end()),
    /an entry whose name is no text/,
  ],
  [
    "names a module by a nest of lists",
    torchZip(new Pickle().nest(60).text("x").op(0x93).end()),
    /names something by no text/,
  ],
  [
    "keys a storage by a nest of lists",
    legacyOf(view({}), new Pickle().op(0x5d).nest(60).op(0x61).end()),
    /a storage's key is no text/,
  ],
  // torch before 1.6
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

/** The sound body under an ML-Decoder head whose queries are so wide. */
function withDecoderOf(width: number): Buffer {
  const names: Record<string, string> = {
    "head.fc.weight": "head.decoder.query_embed.weight",
    "head.fc.bias": "head.decoder.duplicate_pooling_bias",
  };
  return repacked(
    (name) => names[name] ?? name,
    (name, shape) => (name === "head.fc.weight" ? [2560 / width, width] : shape),
  );
}

function repackedWithGap(): Buffer {
  const header = { a: tensor, b: { ...tensor, data_offsets: [8, 12] } };
  return withHeader(JSON.stringify(header), new Uint8Array(12));
}

test("there are at least sixty malformed checkpoints, each under its own name", () => {
  expect(new Set(MALFORMED.map(([fault]) => fault)).size).toBe(MALFORMED.length);
  expect(MALFORMED.length).toBeGreaterThanOrEqual(60);
});

test.each(MALFORMED)(
  "a checkpoint that %s ends in one line naming it and the fault, and nothing is written",
  async (_fault, bytes, message) => {
    const path = join(root, "checkpoint");
    writeFileSync(path, bytes);
    const { code, out, err } = await tresline(
      "build",
      "--checkpoint",
      path,
      "--out",
      join(root, "out/model"),
    );
    expect(err).toMatch(message);
    expect(err).toContain(path);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect([code, out, readdirSync(join(root, "out"))]).toEqual([2, "", []]);
  },
);

test("a path that is a folder, or nothing, ends in one clear line too", async () => {
  for (const path of [root, join(root, "nothing")]) {
    const { code, err } = await tresline("build", "--checkpoint", path, "--out", join(root, "out/model"));
    expect([code, err]).toEqual([2, expect.stringContaining(path)]);
  }
});
