import type { Worker } from "../../shared/contracts/worker.ts";
import { aliveWorkers } from "../../shared/state/workers.ts";
import type { ApiDeps } from "../deps.ts";

/** The worker processes that are alive, by their host. */
export async function listWorkers({ redis }: Pick<ApiDeps, "redis">): Promise<Worker[]> {
  return (await aliveWorkers(redis)).map((worker) => ({ ...worker, object: "worker" }));
}
