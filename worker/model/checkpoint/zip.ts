import { statSync } from "node:fs";
import { ModelError } from "../model-error.ts";
import { readBytes } from "./file-bytes.ts";

/** A file stored in a zip archive without compression: where its bytes lie in the archive. */
export interface ZipEntry {
  readonly offset: number;
  readonly size: number;
}

const END_RECORD = 0x06054b50;
const END_RECORD_BYTES = 22;
const CENTRAL_HEADER = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const MAX_COMMENT = 0xffff;

/** The files of a zip archive by name, found by its central directory. Throws ModelError for an archive that is damaged or has compressed or encrypted files. */
export function readZip(path: string): Map<string, ZipEntry> {
  const fileSize = statSync(path).size;
  const directory = readDirectory(path, fileSize);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at < directory.length;) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL_HEADER)
      throw new ModelError(`${path}: the zip archive's directory is damaged at entry ${entries.size}.`);
    const nameSize = directory.readUInt16LE(at + 28);
    const name = directory.toString("utf8", at + 46, at + 46 + nameSize);
    const isPlain = directory.readUInt16LE(at + 10) === 0 && (directory.readUInt16LE(at + 8) & 1) === 0;
    if (!isPlain)
      throw new ModelError(
        `${path}: ${name} in the zip archive is compressed or encrypted; torch stores it plainly.`,
      );
    if (entries.has(name)) throw new ModelError(`${path}: the zip archive has two entries ${name}.`);
    const size = directory.readUInt32LE(at + 24);
    const offset = dataOffset(path, name, directory.readUInt32LE(at + 42), fileSize);
    if (offset + size > fileSize)
      throw new ModelError(`${path}: ${name} in the zip archive is cut off: the file is truncated.`);
    entries.set(name, { offset, size });
    at += 46 + nameSize + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

function readDirectory(path: string, fileSize: number): Buffer {
  const tailSize = Math.min(fileSize, END_RECORD_BYTES + MAX_COMMENT);
  const tail = Buffer.from(
    readBytes(path, "the end of the zip archive", fileSize - tailSize, tailSize).buffer,
  );
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(END_RECORD);
  const at = tail.lastIndexOf(signature);
  if (at < 0 || at + END_RECORD_BYTES > tail.length)
    throw new ModelError(`${path}: the zip archive has no end: the file is truncated.`);
  const size = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  if (offset + size > fileSize)
    throw new ModelError(
      `${path}: the zip archive's directory lies outside the file (archives above 4 GB are not read).`,
    );
  return Buffer.from(readBytes(path, "the zip archive's directory", offset, size).buffer);
}

/** Data begins after the local header, whose name and extra field may be longer than the directory's. */
function dataOffset(path: string, name: string, headerOffset: number, fileSize: number): number {
  if (headerOffset + 30 > fileSize)
    throw new ModelError(`${path}: ${name} in the zip archive lies outside the file.`);
  const header = Buffer.from(readBytes(path, name, headerOffset, 30).buffer);
  if (header.readUInt32LE(0) !== LOCAL_HEADER)
    throw new ModelError(`${path}: ${name} in the zip archive is not where the directory says.`);
  return headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}
