/** A Python pickle written opcode by opcode, protocol 2. */
export class Pickle {
  readonly #bytes: number[] = [0x80, 2];

  op(...bytes: number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  raw(text: string): this {
    return this.op(...Buffer.from(text));
  }

  text(text: string): this {
    const bytes = Buffer.from(text);
    return this.op(0x58, ...uint32(bytes.length), ...bytes);
  }

  /** BININT, or LONG1 for what it cannot hold. */
  integer(value: number): this {
    if (Math.abs(value) < 2 ** 31) return this.op(0x4a, ...uint32(value >>> 0));
    const bytes = Buffer.alloc(9);
    bytes.writeBigInt64LE(BigInt(value));
    return this.op(0x8a, 9, ...bytes);
  }

  /** LONG1 of little-endian bytes in hex. */
  long(hex: string): this {
    return this.op(0x8a, hex.length / 2, ...Buffer.from(hex, "hex"));
  }

  mark(): this {
    return this.op(0x28);
  }

  global(module: string, name: string): this {
    return this.raw(`c${module}\n${name}\n`);
  }

  tuple(values: number[]): this {
    this.mark();
    for (const value of values) this.integer(value);
    return this.op(0x74);
  }

  list(values: string[]): this {
    this.op(0x5d).mark();
    for (const value of values) this.text(value);
    return this.op(0x65);
  }

  /** A tuple of two tuples of two …, each pair the same object: 2^depth leaves in a few bytes. */
  nest(depth: number): this {
    this.integer(1);
    for (let i = 0; i < depth; i++) this.op(0x71, 0, 0x68, 0, 0x86);
    return this;
  }

  /** torch's persistent id (kind, storage class, key, "cpu", count). */
  storage(kind: string, type: string, key: string, count: number): this {
    return this.mark().text(kind).global("torch", type).text(key).text("cpu").integer(count).op(0x74, 0x51);
  }

  end(): Buffer {
    return Buffer.from([...this.#bytes, 0x2e]);
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** What torch.save writes: a zip of `x/data.pkl` and more files under `x/`. */
export const torchZip = (pickle: Buffer, files: Record<string, Uint8Array> = {}): Buffer =>
  storedZip({
    "x/data.pkl": pickle,
    ...Object.fromEntries(Object.entries(files).map(([name, data]) => [`x/${name}`, data])),
  });

/** A zip archive of uncompressed files; `trimNames` cuts trailing spaces off the names, so that two may become one. */
export function storedZip(files: Record<string, Uint8Array>, trimNames = false): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const [fullName, data] of Object.entries(files)) {
    const name = Buffer.from(trimNames ? fullName.trimEnd() : fullName);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(data.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    locals.push(local, name, Buffer.from(data));
    centrals.push(central, name);
    at += 30 + name.length + data.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, directory, end]);
}
