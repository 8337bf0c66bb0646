import { BatchItem } from "../../shared/contracts/queue-payloads.ts";
import type { ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { getBatchState, startBatch } from "../../shared/state/batches.ts";
import type { WorkerDeps } from "../start.ts";

/** The most items of a batch that travel in one job. */
const CHUNK_SIZE = 64;

/** Cuts a batch's items into chunks and enqueues them. Done again after a crash, it enqueues the same chunks under the same ids. */
export async function enqueueChunks(
  { batch_id: id }: ScanPayload,
  { redis, storage, queues }: Pick<WorkerDeps, "redis" | "storage" | "queues">,
): Promise<void> {
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`Batch ${id} is to be enqueued and Redis does not know it.`);
  const { tenant, model, top_k, threshold } = state.record;
  const items = await readItems(storage, id);
  const chunks = Array.from({ length: Math.ceil(items.length / CHUNK_SIZE) }, (_, chunk) => ({
    kind: "chunk" as const,
    tenant,
    model,
    top_k,
    threshold,
    chunk,
    batch_id: id,
    items: items.slice(chunk * CHUNK_SIZE, (chunk + 1) * CHUNK_SIZE),
  }));
  if (state.batch.status === "validating") await startBatch(redis, id, chunks.length);
  await queues.enqueueClassify(
    model,
    "bulk",
    chunks.map((payload) => ({ id: `${id}-${payload.chunk}`, payload })),
  );
}

async function readItems(storage: WorkerDeps["storage"], id: string): Promise<BatchItem[]> {
  const key = storageKeys.batchItems(id);
  const bytes = await storage.get(key);
  if (bytes === undefined) throw new Error(`${key} is gone before batch ${id} was enqueued.`);
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  return lines.map((line) => BatchItem.parse(JSON.parse(line)));
}
