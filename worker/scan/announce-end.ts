import type { EndedBatch } from "../../shared/batch-manifest.ts";
import { EventType } from "../../shared/contracts/event.ts";
import type { Queues } from "../../shared/queue.ts";
import { toRun } from "../../shared/state/runs.ts";
import { announce } from "../../shared/announce.ts";

/** Enqueues the message about the end of a batch, or of a labeler's run, at the time `timestamp` (RFC 3339), under that place in a trace. */
export async function announceEnd(
  queues: Queues,
  ended: EndedBatch,
  timestamp: string,
  traceparent: string | undefined,
): Promise<void> {
  const { batch, record } = ended;
  const { tenant, webhook, labeler } = record;
  const [kind, resource] =
    labeler === undefined ? ["batch", batch] : ["labeler.run", toRun(ended, { paused: false })];
  const type = EventType.parse(`${kind}.${batch.status}`);
  await announce(queues, { tenant, webhook, type, timestamp, resource, traceparent });
}
