import { storageKeys } from "../../shared/keys.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { readLines } from "./read-lines.ts";

/** Parts that are fetched while an earlier one is written. */
const PARTS_AHEAD = 8;
/** What the line of an item without labels has, and no other: quotes in texts are escaped. */
const UNLABELLED = ["failed", "canceled"].map((status) => Buffer.from(`"status":"${status}"`));
const LINE_FEED = Buffer.from("\n");

/** Puts the parts of a batch together, the lines of what was never listed after them, and once more those by themselves whose items failed or were canceled. Done again, it writes the same. */
export async function writeResults(
  storage: Storage,
  batchId: string,
  chunks: number,
  unlisted: AsyncIterable<Uint8Array>,
): Promise<void> {
  const options = { contentType: "application/x-ndjson" };
  const results = inOrder(partsInOrder(storage, batchId, chunks), unlisted);
  await storage.putStream(storageKeys.batchResults(batchId), results, options);
  await storage.putStream(storageKeys.batchErrors(batchId), unlabelledLines(storage, batchId), options);
}

async function* inOrder(
  ...sources: AsyncIterable<Uint8Array>[]
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const source of sources) yield* source;
}

/** The parts of a batch one after the other, of which a few are fetched ahead. */
async function* partsInOrder(
  storage: Storage,
  batchId: string,
  chunks: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ahead: Promise<Uint8Array>[] = [];
  for (let chunk = 0; chunk < chunks + PARTS_AHEAD; chunk++) {
    if (chunk < chunks) {
      const fetched = readPart(storage, storageKeys.batchPart(batchId, chunk));
      // It is awaited below, perhaps after an earlier one has failed.
      fetched.catch(() => {});
      ahead.push(fetched);
    }
    const next = chunk >= PARTS_AHEAD - 1 ? ahead.shift() : undefined;
    if (next !== undefined) yield await next;
  }
}

async function readPart(storage: Storage, key: string): Promise<Uint8Array> {
  const part = await storage.get(key);
  if (part === undefined) throw new Error(`${key} is missing although its chunk was counted.`);
  return part;
}

async function* unlabelledLines(
  storage: Storage,
  batchId: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const key = storageKeys.batchResults(batchId);
  const results = await storage.getStream(key);
  if (results === undefined) throw new Error(`${key} is gone although it has just been written.`);
  for await (const { bytes } of readLines(results, Infinity))
    if (bytes !== undefined && UNLABELLED.some((mark) => bytes.includes(mark)))
      yield Buffer.concat([bytes, LINE_FEED]);
}
