import { BatchItem } from "../../shared/contracts/queue-payloads.ts";
import type { ListedItem } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { PAGE_ITEMS } from "./page.ts";
import type { Page } from "./page.ts";
import { readLines } from "./read-lines.ts";

/** The items that came with the request, which the API has stored a line each: the cursor's own count says where to go on. */
export async function* listItems(
  storage: Storage,
  batchId: string,
  { items: skip }: ScanCursor,
): AsyncGenerator<Page, void, undefined> {
  const key = storageKeys.batchItems(batchId);
  const stream = await storage.getStream(key);
  if (stream === undefined) throw new Error(`${key} is gone before batch ${batchId} was enqueued.`);
  let page: ListedItem[] = [];
  let line = 0;
  for await (const { bytes } of readLines(stream, Infinity)) {
    if (line++ < skip) continue;
    page.push(BatchItem.parse(JSON.parse(new TextDecoder().decode(bytes))));
    if (page.length < PAGE_ITEMS) continue;
    yield { items: page, position: "" };
    page = [];
  }
  if (page.length > 0) yield { items: page, position: "" };
}
