import type { ClassifyChunkPayload } from "../../shared/contracts/queue-payloads.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import { announce } from "../../shared/announce.ts";
import type { ClassifyDeps } from "./start.ts";

/** Enqueues the message about how far a batch is, which it is for this chunk to tell. Told again, it is the same message. */
export async function tellProgress(
  { batch_id: id, tenant, chunk, traceparent }: ClassifyChunkPayload,
  timestamp: string,
  { redis, queues }: Pick<ClassifyDeps, "redis" | "queues">,
): Promise<void> {
  const state = await getBatchState(redis, id);
  if (state === undefined) return;
  const { webhook } = state.record;
  const occasion = String(chunk);
  await announce(queues, {
    tenant,
    webhook,
    type: "batch.progress",
    timestamp,
    resource: state.batch,
    occasion,
    traceparent,
  });
}
