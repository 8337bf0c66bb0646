import { RetryPosition } from "../../shared/contracts/queue-payloads.ts";
import type { BatchRecord, RetryPart } from "../../shared/contracts/queue-payloads.ts";
import type { ScanCursor } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";
import { listPart } from "./list-part.ts";
import type { Page } from "./page.ts";

/** What an earlier batch left undone, one part after the other. The position says which part, and how far that is listed. */
export async function* listRetry(
  record: BatchRecord,
  parts: readonly RetryPart[],
  { position }: ScanCursor,
  deps: Pick<WorkerDeps, "storage" | "buckets">,
): AsyncGenerator<Page, void, undefined> {
  const start = position === "" ? undefined : RetryPosition.parse(JSON.parse(position));
  for (const [index, part] of parts.entries()) {
    if (index < (start?.part ?? 0)) continue;
    const from = index === start?.part ? start : part;
    let { items } = from;
    for await (const page of listPart(record, part, { chunks: 0, items, position: from.position }, deps)) {
      items += page.items.length;
      const after: RetryPosition = { part: index, items, position: page.position };
      yield { items: page.items, position: JSON.stringify(after) };
    }
  }
}
