import type { WorkQueue } from "../../shared/contracts/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { findQueue, knownQueues } from "./known-queues.ts";
import type { KnownQueue } from "./known-queues.ts";

type Deps = Pick<ApiDeps, "config" | "redis" | "queues">;

/** All queues and what they hold. */
export async function inspectQueues(deps: Deps): Promise<WorkQueue[]> {
  const queues = await knownQueues(deps);
  return Promise.all(queues.map((queue) => look(deps, queue)));
}

/** One queue and what it holds. Throws AppError not_found. */
export async function inspectQueue(deps: Deps, name: string): Promise<WorkQueue> {
  return look(deps, await findQueue(deps, name));
}

async function look({ queues }: Deps, { name, model }: KnownQueue): Promise<WorkQueue> {
  const { oldestSince, putOff, ...counts } = await queues.admin.look(name);
  const ageMs = oldestSince === undefined ? 0 : Math.max(0, Date.now() - oldestSince.getTime());
  return {
    id: name,
    object: "queue",
    model,
    ...counts,
    put_off: putOff,
    oldest_age_seconds: ageMs / 1_000,
  };
}
