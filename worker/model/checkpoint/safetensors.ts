import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { z } from "zod";
import { ModelError } from "../model-error.ts";
import { ELEMENT_BYTES, elementCount, formatShape, readFloats } from "./tensor.ts";
import type { StoredTensor } from "./tensor.ts";

/** The format's own limit of the JSON header, in bytes. */
const MAX_HEADER = 100_000_000;

const Entry = z.strictObject({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()).max(8),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * The tensors of a safetensors file by name, in the order of their data; values are read when asked for.
 * Throws ModelError for a file that is truncated, whose header is not what the format says, or whose tensors overlap,
 * leave gaps or lie outside the file.
 */
export function readSafetensors(path: string): Map<string, StoredTensor> {
  const { header, dataStart, dataSize } = readHeader(path);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => {
      const parsed = Entry.safeParse(entry);
      if (!parsed.success)
        throw new ModelError(
          `${path}: the header's entry for ${name} is not valid: ${z.prettifyError(parsed.error)}`,
        );
      return { name, ...parsed.data };
    })
    .toSorted((a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);

  const tensors = new Map<string, StoredTensor>();
  let expectedStart = 0;
  for (const { name, dtype, shape, data_offsets } of entries) {
    const bytes = ELEMENT_BYTES.get(dtype);
    if (bytes === undefined)
      throw new ModelError(`${path}: tensor ${name} has the unsupported type ${dtype}.`);
    const [start, end] = data_offsets;
    const size = bytes * elementCount(shape);
    if (end - start !== size)
      throw new ModelError(
        `${path}: tensor ${name} (${dtype}, shape ${formatShape(shape)}) needs ${size} bytes but has ${end - start}.`,
      );
    if (start !== expectedStart)
      throw new ModelError(
        `${path}: tensor ${name} begins at byte ${start} of the data, ${expectedStart} expected: tensors overlap or leave a gap.`,
      );
    if (end > dataSize)
      throw new ModelError(
        `${path}: tensor ${name} ends at byte ${end} of the data, but the file has only ${dataSize}: it is truncated.`,
      );
    expectedStart = end;
    tensors.set(name, {
      shape,
      dtype,
      read: () => readFloats(path, name, dtype, dataStart + start, elementCount(shape)),
    });
  }
  if (expectedStart !== dataSize)
    throw new ModelError(`${path}: ${dataSize - expectedStart} bytes follow the last tensor's data.`);
  return tensors;
}

function readHeader(path: string) {
  const file = openSync(path, "r");
  try {
    const fileSize = fstatSync(file).size;
    const prefix = Buffer.alloc(8);
    if (readSync(file, prefix, 0, 8, 0) < 8)
      throw new ModelError(`${path}: not a safetensors file: it has only ${fileSize} bytes.`);
    const headerSize = prefix.readBigUInt64LE();
    if (headerSize > BigInt(Math.min(MAX_HEADER, fileSize - 8)))
      throw new ModelError(
        `${path}: not a safetensors file, or truncated: its header claims ${headerSize} bytes, the file has ${fileSize}.`,
      );
    const bytes = Buffer.alloc(Number(headerSize));
    readSync(file, bytes, 0, bytes.length, 8);
    return {
      header: parseHeader(path, bytes),
      dataStart: 8 + bytes.length,
      dataSize: fileSize - 8 - bytes.length,
    };
  } finally {
    closeSync(file);
  }
}

function parseHeader(path: string, bytes: Buffer): object {
  try {
    const header: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof header === "object" && header !== null && !Array.isArray(header)) return header;
  } catch {
    // Falls through to the one message that both faults share.
  }
  throw new ModelError(`${path}: not a safetensors file: its header is not a JSON object.`);
}
