import { randomUUID } from "node:crypto";
import { link, mkdir, open, opendir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { checkKey } from "./check-key.ts";
import { decodeKey, encodedFile, encodedFolder, encodeKey, pathOfKey } from "./key-path.ts";
import { ObjectTooLargeError } from "./storage.ts";
import type { Storage, StoredObject } from "./storage.ts";

/** Where files are while they are written; no key is stored under this name, as `%tm` is not percent-encoding. */
const UNFINISHED = "%tmp";

/**
 * Keeps objects as files under a root directory, which is made when it is first written to. Several processes may share
 * it. A write is a finished and flushed file put in place in one step, so that neither a reader nor a power cut sees
 * half of it. Content types are not kept.
 */
export function createDirectoryStorage(rootDirectory: string): Storage {
  const root = resolve(rootDirectory);
  const fileOf = (key: string): string => {
    checkKey(key);
    return join(root, ...pathOfKey(key));
  };

  const replace = async (key: string, body: FileBody): Promise<void> => {
    const target = fileOf(key);
    await withFinishedFile(root, body, async (file) => {
      await inFolder(dirname(target), () => rename(file, target));
      await flush(dirname(target));
    });
  };

  return {
    put: replace,

    putStream: replace,

    async putIfAbsent(key, body) {
      const target = fileOf(key);
      return withFinishedFile(root, body, async (file) => {
        const linked = unless(
          "EEXIST",
          inFolder(dirname(target), () => link(file, target)).then(() => true),
        );
        const isFirst = (await linked) ?? false;
        await rm(file);
        if (isFirst) await flush(dirname(target));
        return isFirst;
      });
    },

    async get(key, limit) {
      const file = await openToRead(fileOf(key));
      if (!file) return undefined;
      try {
        const { size } = await file.stat();
        if (limit && size > limit.maxBytes) throw new ObjectTooLargeError(key, limit.maxBytes);
        const { buffer, byteOffset, byteLength } = await file.readFile();
        return new Uint8Array(buffer, byteOffset, byteLength);
      } finally {
        await file.close();
      }
    },

    async getStream(key) {
      const file = await openToRead(fileOf(key));
      return file && (Readable.toWeb(file.createReadStream()) as ReadableStream<Uint8Array>);
    },

    list: (prefix) => walk(root, "", encodeKey(prefix)),

    async delete(key) {
      const target = fileOf(key);
      await rm(target, { force: true });
      await unless("ENOENT", flush(dirname(target)));
    },

    check: () => withFinishedFile(root, "", rm),

    close: async () => {},
  };
}

type FileBody = Uint8Array | string | AsyncIterable<Uint8Array>;

/** Writes a file aside and flushes it, and has it put in place; when that fails, it is removed. */
async function withFinishedFile<T>(
  root: string,
  body: FileBody,
  putInPlace: (file: string) => Promise<T>,
): Promise<T> {
  const folder = join(root, UNFINISHED);
  const path = join(folder, randomUUID());
  const file = await inFolder(folder, () => open(path, "wx"));
  try {
    try {
      await file.writeFile(body);
      await file.sync();
    } finally {
      await file.close();
    }
    return await putInPlace(path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Does something in a folder, which is made when it is not there: it mostly is, and looking first would cost as much as doing. */
async function inFolder<Result>(folder: string, act: () => Promise<Result>): Promise<Result> {
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
  for (let made = folder; made.length >= first.length; made = dirname(made)) await flush(dirname(made));
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Goes through a folder and, below it, only those whose keys can begin with the prefix; texts are percent-encoded. */
async function* walk(
  folder: string,
  keyStart: string,
  prefix: string,
): AsyncGenerator<StoredObject, void, undefined> {
  const entries = await unless("ENOENT", opendir(folder));
  if (!entries) return;
  for await (const entry of entries) {
    if (entry.name === UNFINISHED) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const below = keyStart + encodedFolder(entry.name);
      if (below.startsWith(prefix) || prefix.startsWith(below)) yield* walk(path, below, prefix);
      continue;
    }
    const encoded = keyStart + encodedFile(entry.name);
    const found = encoded.startsWith(prefix) && (await unless("ENOENT", stat(path)));
    if (found) yield { key: decodeKey(encoded), size: found.size, modifiedAt: found.mtime };
  }
}

async function openToRead(path: string): Promise<FileHandle | undefined> {
  return unless("ENOENT", open(path, "r"));
}

/** Undefined instead of a certain error. */
async function unless<T>(code: "ENOENT" | "EEXIST", work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === code) return undefined;
    throw error;
  }
}
