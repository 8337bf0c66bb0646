import type { WorkQueue } from "../../shared/contracts/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { inspectQueue } from "./inspect-queues.ts";
import { findQueue } from "./known-queues.ts";

/** Lets no worker take jobs of a queue until it is resumed; what is in hand is finished. Throws AppError not_found. */
export async function pauseQueue(
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  name: string,
): Promise<WorkQueue> {
  await deps.queues.admin.pause((await findQueue(deps, name)).name);
  return inspectQueue(deps, name);
}
