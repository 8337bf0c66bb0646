import type { BatchRecord } from "../../shared/contracts/queue-payloads.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { listPart } from "./list-part.ts";
import { listRetry } from "./list-retry.ts";
import type { Page } from "./page.ts";

/**
 * The pages of a batch's source from a cursor on. From the same cursor the same pages come, however often they are asked
 * for. Throws PermanentError when the source can never be listed.
 */
export function listSource(
  record: BatchRecord,
  cursor: ScanCursor,
  deps: Pick<WorkerDeps, "storage" | "buckets">,
): AsyncGenerator<Page, void, undefined> {
  const { id, source } = record;
  if (source.type === "retry") return listRetry(record, source.parts, cursor, deps);
  return listPart(record, { batch_id: id, source }, cursor, deps);
}
