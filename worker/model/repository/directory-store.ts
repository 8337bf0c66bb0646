import { randomUUID } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import type { ModelStore } from "./model-store.ts";

/** A repository in a directory of this machine, or one that is mounted; every key is a file below it. */
export function directoryStore(root: string): ModelStore {
  return {
    async put(key, body) {
      const path = join(root, key);
      const temporary = `${path}.${randomUUID()}`;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, body);
      await rename(temporary, path);
    },
    async get(key) {
      return existsSync(join(root, key)) ? readFile(join(root, key)) : undefined;
    },
    async getStream(key) {
      return existsSync(join(root, key)) ? Readable.toWeb(createReadStream(join(root, key))) : undefined;
    },
  };
}
