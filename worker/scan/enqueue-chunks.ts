import type { BatchItem, ClassifyChunkPayload, ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { getBatchState, startBatch } from "../../shared/state/batches.ts";
import type { BatchState, ScanCursor } from "../../shared/state/batches.ts";
import { sealChunks } from "../../shared/state/count-chunk.ts";
import { saveCursor } from "../../shared/state/scan-cursor.ts";
import type { PutOff } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { listSource } from "./list-source.ts";
import { CHUNK_SIZE, PAGE_ITEMS } from "./page.ts";
import type { Page } from "./page.ts";

/** The most jobs that wait in the bulk lane of a model, beyond which nothing is added: 16 384 images, some minutes of work. */
export const MAX_WAITING_CHUNKS = 256;
/** Pages after which others get their turn. */
const PAGES_A_TURN = 16;
/** Milliseconds until a batch that found the lane full looks again. */
const LOOK_AGAIN_MS = 2_000;

type ScanDeps = Pick<WorkerDeps, "redis" | "storage" | "buckets" | "queues">;

/**
 * Lists the source of a batch a page at a time and enqueues each page's items in chunks, until the lane is full: the job
 * then puts itself off. Done again after a crash, it goes on where the cursor is, and enqueues the same chunks under the
 * same ids.
 */
export async function enqueueChunks(
  { batch_id: id, tenant }: ScanPayload,
  deps: ScanDeps,
): Promise<void | PutOff> {
  const { redis, queues } = deps;
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`Batch ${id} is to be enqueued and Redis does not know it.`);
  const { record, batch } = state;
  if (batch.status === "completed" || batch.status === "failed") return;
  if (batch.status === "validating") await startBatch(redis, id);
  const isFull = async () =>
    (await queues.countWaiting(record.model, "bulk")) + PAGE_ITEMS / CHUNK_SIZE > MAX_WAITING_CHUNKS;
  if (await isFull()) return { putOffMs: LOOK_AGAIN_MS };
  let { cursor } = state;
  let pages = 0;
  for await (const page of listSource(record, cursor, deps)) {
    cursor = await enqueuePage(page, cursor, record, queues);
    await saveCursor(redis, id, cursor);
    if (++pages === PAGES_A_TURN) return { putOffMs: 0 };
    if (await isFull()) return { putOffMs: LOOK_AGAIN_MS };
  }
  if (await sealChunks(redis, id, cursor.chunks))
    await queues.enqueueScan({
      id: `${id}-finish`,
      payload: { kind: "finish", tenant, batch_id: id },
    });
}

/** Enqueues a page's items and tells the cursor after it. */
async function enqueuePage(
  { items, position }: Page,
  cursor: ScanCursor,
  { id, tenant, model, top_k, threshold }: BatchState["record"],
  queues: WorkerDeps["queues"],
): Promise<ScanCursor> {
  const numbered = items.map((item, i): BatchItem => ({ ...item, index: cursor.items + i }));
  const count = Math.ceil(items.length / CHUNK_SIZE);
  const chunks = Array.from({ length: count }, (_, i): ClassifyChunkPayload => {
    const chunkItems = numbered.slice(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE);
    const chunk = cursor.chunks + i;
    return { kind: "chunk", tenant, model, top_k, threshold, chunk, batch_id: id, items: chunkItems };
  });
  await queues.enqueueClassify(
    model,
    "bulk",
    chunks.map((payload) => ({ id: `${id}-${payload.chunk}`, payload })),
  );
  return { chunks: cursor.chunks + count, items: cursor.items + items.length, position };
}
