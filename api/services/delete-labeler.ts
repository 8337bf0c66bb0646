import { requestCancel } from "../../shared/state/stop-batch.ts";
import { forgetLabeler } from "../../shared/state/labelers.ts";
import type { ApiDeps } from "../deps.ts";
import { findLabeler } from "./get-labeler.ts";
import { movingRuns } from "./moving-runs.ts";

/** Deletes a labeler and cancels its runs. What it has labelled stays. Throws AppError not_found. */
export async function deleteLabeler(
  deps: Pick<ApiDeps, "redis" | "queues">,
  tenant: string,
  id: string,
): Promise<void> {
  const { record } = await findLabeler(deps, tenant, id);
  for (const { batch } of await movingRuns(deps, id)) await requestCancel(deps.redis, batch.id);
  // One of them may have been started since they were looked at.
  for (const run of await forgetLabeler(deps.redis, record)) await requestCancel(deps.redis, run);
}
