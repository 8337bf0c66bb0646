import type { BatchStatus } from "../../shared/contracts/batch.ts";
import type { BatchItem, ClassifyChunkPayload, ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import { PermanentError } from "../../shared/errors.ts";
import { CHUNK_SIZE, MAX_WAITING_CHUNKS } from "../../shared/queue.ts";
import { getBatchState, keepBatch, startBatch } from "../../shared/state/batches.ts";
import type { BatchState, ScanCursor } from "../../shared/state/batches.ts";
import { sealChunks } from "../../shared/state/count-chunk.ts";
import { claimPage, saveCursor } from "../../shared/state/scan-cursor.ts";
import { lookAtBatch } from "../../shared/state/stop-batch.ts";
import type { PutOff } from "../consume.ts";
import type { WorkerDeps } from "../start.ts";
import { listSource } from "./list-source.ts";
import { msUntilNextPage, nextPageAt } from "./pace.ts";
import { PAGE_ITEMS } from "./page.ts";
import type { Page } from "./page.ts";

/** Pages after which others get their turn. */
const PAGES_A_TURN = 16;
/** Milliseconds until a batch that found the lane full looks again. */
const LOOK_AGAIN_MS = 2_000;
const ENDED: readonly BatchStatus[] = ["finalizing", "completed", "failed", "canceled", "expired"];

type ScanDeps = Pick<WorkerDeps, "redis" | "storage" | "buckets" | "queues">;

/**
 * Lists the source of a batch a page at a time and enqueues each page's items in chunks, until the lane is full: the job
 * then puts itself off. Once the batch is to stop it enqueues no page but the one that it, or a worker that was killed, has
 * claimed. Done again after a crash, it goes on where the cursor is, and enqueues the same chunks under the same ids.
 * Throws PermanentError when the source can never be listed.
 */
export async function enqueueChunks(
  { batch_id: id, tenant, traceparent }: ScanPayload,
  deps: ScanDeps,
): Promise<void | PutOff> {
  const { redis, queues } = deps;
  await lookAtBatch(redis, id);
  const state = await getBatchState(redis, id);
  if (state === undefined) throw new Error(`Batch ${id} is to be enqueued and Redis does not know it.`);
  const { batch } = state;
  if (ENDED.includes(batch.status)) return;
  await keepBatch(redis, id);
  if (batch.error !== null) throw new PermanentError(batch.error.code, batch.error.detail);
  if (batch.status === "validating") await startBatch(redis, id);
  const listed =
    state.chunks === null || state.isClaimed ? await listOn(state, traceparent, deps) : state.cursor;
  if ("putOffMs" in listed) return listed;
  if (await sealChunks(redis, id, listed.chunks))
    await queues.enqueueScan({
      id: `${id}-finish`,
      payload: { kind: "finish", tenant, batch_id: id, traceparent },
    });
}

/** Enqueues pages until there are none, or none is wanted, and tells the cursor after them; or puts the job off. */
async function listOn(
  { record, isClaimed, ...state }: BatchState,
  traceparent: string | undefined,
  deps: ScanDeps,
): Promise<ScanCursor | PutOff> {
  const { redis, queues } = deps;
  const { id, model } = record;
  const isFull = async () =>
    (await queues.countWaiting(model, "bulk")) + PAGE_ITEMS / CHUNK_SIZE > MAX_WAITING_CHUNKS;
  const msToWait = async (at: ScanCursor) =>
    (await isFull()) ? LOOK_AGAIN_MS : await msUntilNextPage(record, at, redis);
  let { cursor } = state;
  const putOffMs = isClaimed ? 0 : await msToWait(cursor);
  if (putOffMs > 0) return { putOffMs };
  let pages = 0;
  for await (const page of listSource(record, cursor, deps)) {
    const chunks = toChunks(page, cursor, record);
    const after = {
      chunks: cursor.chunks + chunks.length,
      items: cursor.items + page.items.length,
      position: page.position,
      ...nextPageAt(record, page.items.length),
    };
    const answer = await claimPage(redis, id, cursor, after);
    if (answer === "behind") return { putOffMs: 0 };
    if (answer === "stopped") return cursor;
    await queues.enqueueClassify(
      model,
      "bulk",
      chunks.map((chunk) => ({ id: `${id}-${chunk.chunk}`, payload: { ...chunk, traceparent } })),
    );
    await saveCursor(redis, id, after);
    cursor = after;
    if (++pages === PAGES_A_TURN) return { putOffMs: 0 };
    const ms = await msToWait(cursor);
    if (ms > 0) return { putOffMs: ms };
  }
  return cursor;
}

/** The chunks of the page after a cursor. */
function toChunks(
  { items }: Page,
  cursor: ScanCursor,
  { id, tenant, model, top_k, threshold, labeler }: BatchState["record"],
): ClassifyChunkPayload[] {
  const numbered = items.map((item, i): BatchItem => ({ ...item, index: cursor.items + i }));
  return Array.from({ length: Math.ceil(items.length / CHUNK_SIZE) }, (_, i) => ({
    kind: "chunk",
    batch_id: id,
    tenant,
    model,
    top_k,
    threshold,
    labeler,
    chunk: cursor.chunks + i,
    items: numbered.slice(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE),
  }));
}
