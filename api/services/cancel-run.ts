import type { Run } from "../../shared/contracts/labeler.ts";
import { AppError } from "../../shared/errors.ts";
import { requestCancel } from "../../shared/state/stop-batch.ts";
import type { ApiDeps } from "../deps.ts";
import { enqueueRun } from "./enqueue-run.ts";
import { getRun } from "./get-run.ts";

/** Asks that a run be canceled: what is not labelled by then ends as canceled. Throws AppError not_found, gone, or conflict when it has ended. */
export async function cancelRun(
  deps: Pick<ApiDeps, "config" | "redis" | "storage" | "queues">,
  tenant: string,
  labelerId: string,
  id: string,
): Promise<Run> {
  const run = await getRun(deps, tenant, labelerId, id);
  if ((await requestCancel(deps.redis, id)) !== "canceling")
    throw new AppError("conflict", `The run ${id} has ended: it is ${run.status}.`);
  // One whose job was never enqueued, since whoever started it died, would otherwise be canceling for ever.
  await enqueueRun(deps, { id, tenant });
  return getRun(deps, tenant, labelerId, id);
}
