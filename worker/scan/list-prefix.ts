import type { BatchSource, ListedItem } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { CHUNK_SIZE, PAGE_ITEMS, Page } from "./page.ts";

type Prefix = BatchSource & { type: "prefix" };
type Deps = Pick<WorkerDeps, "storage" | "buckets">;

/**
 * The objects under a prefix, each named by its key. The position is the last key that was looked at. A bucket may change
 * while it is listed, so each page is stored before it is told: whoever starts over at it gets the very same.
 */
export async function* listPrefix(
  batchId: string,
  source: Prefix,
  cursor: ScanCursor,
  { storage, buckets }: Deps,
): AsyncGenerator<Page, void, undefined> {
  let { position, items: listed } = cursor;
  for (;;) {
    const page = await settled(
      storage,
      storageKeys.batchPage(batchId, listed),
      await list(source, position, buckets),
    );
    if (page.items.length === 0) return;
    yield page;
    position = page.position;
    listed += page.items.length;
  }
}

/** Lists on until a chunk is full or nothing is left: of many keys few may have the suffix. */
async function list(
  { bucket, prefix, suffixes }: Prefix,
  position: string,
  buckets: Deps["buckets"],
): Promise<Page> {
  const items: ListedItem[] = [];
  let after = position;
  for (;;) {
    const limit = PAGE_ITEMS - items.length;
    const { objects, isLast } = await buckets.list(bucket, prefix, { after, limit });
    for (const { key, size } of objects)
      if (isWanted(key, size, suffixes)) items.push({ custom_id: key, image: { type: "s3", bucket, key } });
    after = objects.at(-1)?.key ?? after;
    if (isLast || items.length >= CHUNK_SIZE) return { items, position: after };
  }
}

/** An empty object whose key ends with a slash stands for a folder. */
const isWanted = (key: string, size: number, suffixes: Prefix["suffixes"]) =>
  !(size === 0 && key.endsWith("/")) && (suffixes?.some((suffix) => key.endsWith(suffix)) ?? true);

/** Stores a page unless one is stored already; what is stored is what counts. */
async function settled(storage: Deps["storage"], key: string, page: Page): Promise<Page> {
  const text = JSON.stringify(page);
  if (await storage.putIfAbsent(key, text, { contentType: "application/json" })) return page;
  const stored = await storage.get(key);
  if (stored === undefined) throw new Error(`${key} is gone before its batch was enqueued.`);
  return Page.parse(JSON.parse(new TextDecoder().decode(stored)));
}
