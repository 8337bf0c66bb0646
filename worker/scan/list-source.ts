import type { BatchRecord } from "../../shared/contracts/queue-payloads.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { listItems } from "./list-items.ts";
import type { Page } from "./page.ts";

/** The pages of a batch's source from a cursor on. From the same cursor the same pages come, however often they are asked for. */
export function listSource(
  record: BatchRecord,
  cursor: ScanCursor,
  { storage }: Pick<WorkerDeps, "storage">,
): AsyncGenerator<Page, void, undefined> {
  return listItems(storage, record.id, cursor);
}
