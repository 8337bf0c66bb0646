import { BatchItem } from "../../shared/contracts/queue-payloads.ts";
import type { ListedItem } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { PAGE_ITEMS } from "./page.ts";
import type { Page } from "./page.ts";
import { readLines } from "./read-lines.ts";

/** The items that came with a batch's request, which the API has stored a line each: the cursor's own count says where to go on. Throws PermanentError when the batch, an earlier one then, has been deleted. */
export async function* listItems(
  storage: Storage,
  batchId: string,
  { items: skip }: Pick<ScanCursor, "items">,
): AsyncGenerator<Page, void, undefined> {
  const key = storageKeys.batchItems(batchId);
  const stream = await storage.getStream(key);
  if (stream === undefined)
    throw new PermanentError("fetch_failed", `The items of batch ${batchId} are no longer stored.`);
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
