import { readFileSync } from "node:fs";
import { fixture } from "./read-tensors.ts";

/** A safetensors file of a small TResNet, which is sound. */
export const SOUND = readFileSync(fixture("golden/tiny_s.safetensors"));

interface Header {
  [name: string]: { dtype: string; shape: number[]; data_offsets: [number, number] };
}

/** A safetensors file of a header and its data; `size` is how long it says that its header is. */
export function withHeader(
  header: string | Buffer,
  data: Uint8Array = new Uint8Array(),
  size?: bigint,
): Buffer {
  const bytes = Buffer.from(header);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(size ?? BigInt(bytes.length));
  return Buffer.concat([prefix, bytes, data]);
}

/** Where the tensors of the sound file begin, in bytes. */
export const DATA_START = 8 + Number(SOUND.readBigUInt64LE());

function soundHeader(): Header {
  const { __metadata__: _, ...header } = JSON.parse(SOUND.toString("utf8", 8, DATA_START));
  return header;
}

/** The sound file with its header, and perhaps its data, changed. */
export function edited(change: (header: Header, data: Buffer) => void): Buffer {
  const header = soundHeader();
  const data = Buffer.from(SOUND.subarray(DATA_START));
  change(header, data);
  return withHeader(JSON.stringify(header), data);
}

/** The sound file with one tensor's entry replaced. */
export const entry = (change: object | null, name = "head.fc.bias") =>
  edited((header) => Object.assign(header, { [name]: change && { ...header[name], ...change } }));

/** The sound tensors in the order of their data, some left out, renamed or reshaped, packed anew. */
export function repacked(
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
