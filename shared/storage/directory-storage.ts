import { linkSync, renameSync, rmSync } from "node:fs";
import { open, opendir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { checkKey } from "./check-key.ts";
import { flushFolder, inFolder, readFile, withFinishedFile } from "./durable-file.ts";
import type { FileBody } from "./durable-file.ts";
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

  const unfinished = join(root, UNFINISHED);

  const replace = async (key: string, body: FileBody): Promise<void> => {
    const target = fileOf(key);
    await withFinishedFile(unfinished, body, async (file) => {
      await inFolder(dirname(target), () => renameSync(file, target));
      await flushFolder(dirname(target));
    });
  };

  return {
    put: replace,

    putStream: replace,

    async putIfAbsent(key, body) {
      const target = fileOf(key);
      return withFinishedFile(unfinished, body, async (file) => {
        const linked = unless(
          "EEXIST",
          inFolder(dirname(target), () => linkSync(file, target)).then(() => true),
        );
        const isFirst = (await linked) ?? false;
        rmSync(file);
        if (isFirst) await flushFolder(dirname(target));
        return isFirst;
      });
    },

    async get(key, limit) {
      const maxBytes = limit?.maxBytes ?? Infinity;
      const checkSize = (bytes: number) => {
        if (bytes > maxBytes) throw new ObjectTooLargeError(key, maxBytes);
      };
      return unless("ENOENT", readFile(fileOf(key), checkSize));
    },

    async size(key) {
      return (await unless("ENOENT", stat(fileOf(key))))?.size;
    },

    signPut: async () => undefined,

    async getStream(key, from = 0) {
      const file = await unless("ENOENT", open(fileOf(key), "r"));
      return file && (Readable.toWeb(file.createReadStream({ start: from })) as ReadableStream<Uint8Array>);
    },

    list: (prefix) => walk(root, "", encodeKey(prefix)),

    folders: (prefix) => foldersIn(join(root, ...pathOfKey(`${prefix}_`).slice(0, -1)), prefix),

    async delete(key) {
      const target = fileOf(key);
      await rm(target, { force: true });
      await unless("ENOENT", flushFolder(dirname(target)));
    },

    check: () => withFinishedFile(unfinished, "", rmSync),

    close: async () => {},
  };
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

/** The folders in a folder, the names of which may be cut into several, one in the other. */
async function* foldersIn(folder: string, keyStart: string): AsyncGenerator<string, void, undefined> {
  for await (const entry of (await unless("ENOENT", opendir(folder))) ?? []) {
    if (!entry.isDirectory() || entry.name === UNFINISHED) continue;
    const key = keyStart + decodeKey(encodedFolder(entry.name));
    const path = join(folder, entry.name);
    if (!key.endsWith("/")) yield* foldersIn(path, key);
    else if (await holdsFiles(path)) yield key;
  }
}

/** Whether anything is in a folder or below it: one stays when its last file is deleted. */
async function holdsFiles(folder: string): Promise<boolean> {
  for await (const _ of walk(folder, "", "")) return true;
  return false;
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
