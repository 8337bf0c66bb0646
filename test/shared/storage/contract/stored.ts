import type { Storage, StoredObject } from "../../../../shared/storage/storage.ts";

/** The type of the tests' objects. */
export const TEXT = { contentType: "text/plain" };

/** A stream of the same piece over and over, which may end in an error. */
export async function* repeated(piece: Uint8Array, times: number, error?: Error): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) yield piece;
  if (error) throw error;
}

/** An object as text. */
export async function text(storage: Storage, key: string): Promise<string | undefined> {
  const body = await storage.get(key);
  return body && new TextDecoder().decode(body);
}

/** The objects under a prefix, sorted by their keys. */
export async function listing(storage: Storage, prefix: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of storage.list(prefix)) objects.push(object);
  return objects.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** The keys under a prefix, sorted. */
export async function keys(storage: Storage, prefix: string): Promise<string[]> {
  return (await listing(storage, prefix)).map(({ key }) => key);
}
