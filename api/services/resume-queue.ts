import type { WorkQueue } from "../../shared/contracts/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { inspectQueue } from "./inspect-queues.ts";
import { findQueue } from "./known-queues.ts";

/** Lets workers take jobs of a queue again. Throws AppError not_found. */
export async function resumeQueue(
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  name: string,
): Promise<WorkQueue> {
  await deps.queues.admin.resume((await findQueue(deps, name)).name);
  return inspectQueue(deps, name);
}
