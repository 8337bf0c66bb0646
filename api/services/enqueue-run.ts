import type { ApiDeps } from "../deps.ts";

/** Enqueues the job that lists a run's objects; nothing happens while that is there already. Without `traceparent` it begins a trace. */
export async function enqueueRun(
  { queues }: Pick<ApiDeps, "queues">,
  { id, tenant }: { id: string; tenant: string },
  traceparent?: string,
): Promise<void> {
  await queues.enqueueScan({
    id: `${id}-enqueue`,
    payload: { kind: "enqueue", tenant, batch_id: id, traceparent },
  });
}
