import { BatchResult } from "../../shared/contracts/batch.ts";
import { storageKeys } from "../../shared/keys.ts";
import { readLines } from "../client/read-lines.ts";
import type { ApiDeps } from "../deps.ts";
import { getBatch } from "./get-batch.ts";

/** The first items of a batch that have no labels, `most` at most, of which no more is read than these; none before the batch has ended. Throws AppError not_found, or gone. */
export async function listFailedItems(
  deps: Pick<ApiDeps, "config" | "redis" | "storage">,
  tenant: string,
  id: string,
  most: number,
): Promise<BatchResult[]> {
  await getBatch(deps, tenant, id);
  const stream = await deps.storage.getStream(storageKeys.batchErrors(id));
  const items: BatchResult[] = [];
  if (stream === undefined) return items;
  // Leaving the loop cancels the stream.
  for await (const line of readLines(stream)) {
    items.push(BatchResult.parse(JSON.parse(line)));
    if (items.length === most) break;
  }
  return items;
}
