import { BatchResult } from "../../shared/contracts/batch.ts";
import type { ListedItem } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { pointerOf } from "../../shared/item-input.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { PAGE_ITEMS } from "./page.ts";
import type { Page } from "./page.ts";
import { readLines } from "./read-lines.ts";

/**
 * The items of an earlier batch that have no labels, those left out whose line names no image. The position is the byte of
 * its `errors.jsonl` to go on at. Throws PermanentError when that batch has been deleted.
 */
export async function* listErrors(
  storage: Storage,
  batchId: string,
  { position }: Pick<ScanCursor, "position">,
): AsyncGenerator<Page, void, undefined> {
  const from = Number(position);
  const lines = await storage.getStream(storageKeys.batchErrors(batchId), from);
  if (lines === undefined)
    throw new PermanentError("fetch_failed", `The results of batch ${batchId} are no longer stored.`);
  let items: ListedItem[] = [];
  let at = from;
  for await (const { bytes, end } of readLines(lines, Infinity)) {
    at = from + end;
    const { custom_id, input } = BatchResult.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const image = input && pointerOf(input);
    if (image !== undefined) items.push({ custom_id, image });
    if (items.length < PAGE_ITEMS) continue;
    yield { items, position: String(at) };
    items = [];
  }
  if (items.length > 0) yield { items, position: String(at) };
}
