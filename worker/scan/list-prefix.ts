import type { BatchSource, ListedItem } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { CHUNK_SIZE } from "../../shared/queue.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { isWanted } from "./is-wanted.ts";
import { PAGE_ITEMS, Page } from "./page.ts";

type Prefix = BatchSource & { type: "prefix" };
type Deps = Pick<WorkerDeps, "storage" | "buckets">;

/**
 * The objects under a prefix, each named by its key, up to `pageItems` at a time. The position is the last key that was looked at. A bucket may change
 * while it is listed, so each page is stored before it is told: whoever starts over at it gets the very same.
 */
export async function* listPrefix(
  batchId: string,
  source: Prefix,
  cursor: ScanCursor,
  pageItems: number,
  { storage, buckets }: Deps,
): AsyncGenerator<Page, void, undefined> {
  let { position, items: listed } = cursor;
  for (;;) {
    const page = await settled(
      storage,
      storageKeys.batchPage(batchId, listed),
      await list(source, position, pageItems, buckets),
    );
    if (page.items.length === 0) return;
    yield page;
    position = page.position;
    listed += page.items.length;
  }
}

/** Lists on until a chunk is full or nothing is left: of many keys few may have the suffix. */
async function list(
  source: Prefix,
  position: string,
  pageItems: number,
  buckets: Deps["buckets"],
): Promise<Page> {
  const { bucket, prefix } = source;
  const items: ListedItem[] = [];
  let after = position;
  for (;;) {
    const { objects, isLast } = await buckets.list(bucket, prefix, { after, limit: PAGE_ITEMS });
    for (const { key, size, etag } of objects) {
      after = key;
      if (!isWanted({ key, size }, source)) continue;
      items.push({ custom_id: key, image: { type: "s3", bucket, key, etag } });
      if (items.length === pageItems) return { items, position: after };
    }
    if (isLast || items.length >= CHUNK_SIZE) return { items, position: after };
  }
}

/** Stores a page unless one is stored already; what is stored is what counts. */
async function settled(storage: Deps["storage"], key: string, page: Page): Promise<Page> {
  const text = JSON.stringify(page);
  if (await storage.putIfAbsent(key, text, { contentType: "application/json" })) return page;
  const stored = await storage.get(key);
  if (stored === undefined) throw new Error(`${key} is gone before its batch was enqueued.`);
  return Page.parse(JSON.parse(new TextDecoder().decode(stored)));
}
