import { randomUUID } from "node:crypto";
import { closeSync, constants, fstatSync, fsync, open, openSync, read, rmSync, write } from "node:fs";
import { mkdir, open as openHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

// What is there is opened, renamed and closed at once: that takes some 20 µs, and a trip through Node's pool of threads
// several times as long. What makes a file, or moves or flushes bytes, may wait for the disk and goes there.
const makeFile = promisify(open);
const writeBytes = promisify(write);
const readBytes = promisify(read);
const flushFile = promisify(fsync);

/** Writing returns once the bytes are on the disk, and fails when the file is there. */
const NEW_AND_FLUSHED = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DSYNC;

/** What a file is written from; a string is written as UTF-8. */
export type FileBody = Uint8Array | string | AsyncIterable<Uint8Array>;

/**
 * Writes a file of a random name into `folder` and flushes it, has it put in place, and gives what that returns; when either
 * fails, the file is removed.
 */
export async function withFinishedFile<Result>(
  folder: string,
  body: FileBody,
  putInPlace: (file: string) => Result | Promise<Result>,
): Promise<Result> {
  const path = join(folder, randomUUID());
  try {
    if (typeof body === "string" || body instanceof Uint8Array)
      await writeWhole(await inFolder(folder, () => makeFile(path, NEW_AND_FLUSHED)), body);
    else await writePieces(folder, path, body);
    return await putInPlace(path);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

async function writeWhole(file: number, body: Uint8Array | string): Promise<void> {
  try {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    for (let done = 0; done < bytes.byteLength;)
      done += (await writeBytes(file, bytes, done, bytes.byteLength - done)).bytesWritten;
  } finally {
    closeSync(file);
  }
}

async function writePieces(folder: string, path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await inFolder(folder, () => openHandle(path, "wx"));
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The bytes of a file. `checkSize` is told their number before they are read and may throw. Throws ENOENT and the like. */
export async function readFile(path: string, checkSize: (bytes: number) => void): Promise<Uint8Array> {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    checkSize(size);
    const bytes = new Uint8Array(size);
    let done = 0;
    while (done < size) {
      const { bytesRead } = await readBytes(file, bytes, done, size - done, done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } finally {
    closeSync(file);
  }
}

/** Does something in a folder, which is made when it is not there: it mostly is, and looking first would cost as much as doing. */
export async function inFolder<Result>(folder: string, act: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await makeFolder(folder);
    return act();
  }
}

/** Makes a folder and those above it, and flushes each one's entry in its parent: a file is no safer than its folder. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flushFolder(dirname(made));
}

/** Returns once the names in a folder are on the disk. Throws ENOENT when there is none. */
export async function flushFolder(folder: string): Promise<void> {
  const directory = openSync(folder, "r");
  try {
    await flushFile(directory);
  } finally {
    closeSync(directory);
  }
}
