import type { Storage } from "../../shared/storage/storage.ts";

const encode = (body: Uint8Array | string) =>
  typeof body === "string" ? new TextEncoder().encode(body) : body;

/** A storage in memory, for tests that write so often that a disk would be what they measure. */
export function memoryStorage(): Storage {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    put: async (key, body) => void objects.set(key, Uint8Array.from(encode(body))),
    async putStream(key, body) {
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      objects.set(key, Uint8Array.from(Buffer.concat(pieces)));
    },
    async putIfAbsent(key, body) {
      const isFirst = !objects.has(key);
      if (isFirst) objects.set(key, Uint8Array.from(encode(body)));
      return isFirst;
    },
    get: async (key) => objects.get(key),
    size: async (key) => objects.get(key)?.byteLength,
    signPut: async () => undefined,
    async getStream(key, from = 0) {
      const bytes = objects.get(key);
      return bytes && new Blob([bytes.subarray(from)]).stream();
    },
    async *list(prefix) {
      for (const [key, { byteLength }] of objects)
        if (key.startsWith(prefix)) yield { key, size: byteLength, modifiedAt: new Date(0) };
    },
    async *folders(prefix) {
      const below = [...objects.keys()].filter(
        (key) => key.startsWith(prefix) && key.includes("/", prefix.length),
      );
      yield* new Set(below.map((key) => key.slice(0, key.indexOf("/", prefix.length) + 1)));
    },
    delete: async (key) => void objects.delete(key),
    check: async () => {},
    close: async () => {},
  };
}
