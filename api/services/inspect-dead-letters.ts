import type { DeadLetter } from "../../shared/contracts/queue.ts";
import type { KnownJob } from "../../shared/queue-admin.ts";
import type { PageOf, Place } from "../../shared/state/id-list.ts";
import type { ApiDeps } from "../deps.ts";
import { findQueue } from "./known-queues.ts";

/** The dead letters of a queue, the newest first. Throws AppError not_found when there is no such queue. */
export async function inspectDeadLetters(
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  name: string,
  place: Place,
): Promise<PageOf<DeadLetter>> {
  const queue = await findQueue(deps, name);
  const { data, next } = await deps.queues.admin.listDead(queue.name, place);
  return { data: data.map((job) => toDeadLetter(queue.name, job)), next };
}

function toDeadLetter(
  queue: string,
  { id, reason, attempts, payload, createdAt, diedAt }: KnownJob,
): DeadLetter {
  return {
    id,
    object: "dead_letter",
    queue,
    kind: kindOf(payload),
    reason: reason ?? "Nothing is known of its end.",
    attempts,
    created_at: createdAt.toISOString(),
    died_at: (diedAt ?? createdAt).toISOString(),
  };
}

/** What a payload says that it is, which nobody may be able to read further. */
function kindOf(payload: unknown): string | null {
  if (typeof payload !== "object" || payload === null) return null;
  const told = "kind" in payload ? payload.kind : "event_type" in payload ? payload.event_type : undefined;
  return typeof told === "string" ? told : null;
}
