import type { QueueJob } from "../../shared/contracts/queue.ts";
import { AppError } from "../../shared/errors.ts";
import type { ApiDeps } from "../deps.ts";
import { findQueue } from "./known-queues.ts";

/** All that is known of one job of a queue. Throws AppError not_found when there is no such queue or job. */
export async function inspectJob(
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  name: string,
  id: string,
): Promise<QueueJob> {
  const queue = await findQueue(deps, name);
  const job = await deps.queues.admin.findJob(queue.name, id);
  if (job === undefined)
    throw new AppError("not_found", `${name} has no job ${id}: it may have ended, which removes it.`);
  const { state, attempts, crashes, reason = null, payload, createdAt, takenAt, diedAt } = job;
  return {
    id,
    object: "job",
    queue: queue.name,
    state,
    attempts,
    crashes,
    reason,
    created_at: createdAt.toISOString(),
    taken_at: takenAt?.toISOString() ?? null,
    died_at: diedAt?.toISOString() ?? null,
    payload,
  };
}
