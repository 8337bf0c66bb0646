import { getBatchState } from "../../shared/state/batches.ts";
import type { BatchState } from "../../shared/state/batches.ts";
import { listRunIds } from "../../shared/state/labeler-runs.ts";
import type { ApiDeps } from "../deps.ts";
import { enqueueRun } from "./enqueue-run.ts";

/** How many of the newest runs are looked at: one moves at a time, or a few when a labeler was resumed meanwhile. */
const LOOKED_AT = 20;

const FINAL: readonly string[] = ["completed", "failed", "canceled", "expired"];

/** The runs of a labeler that have not ended. One that has not begun gets its job again, for whoever started it may have died before it was enqueued. */
export async function movingRuns(
  deps: Pick<ApiDeps, "redis" | "queues">,
  labelerId: string,
): Promise<BatchState[]> {
  const { data } = await listRunIds(deps.redis, labelerId, { limit: LOOKED_AT, before: undefined });
  const states = await Promise.all(data.map((id) => getBatchState(deps.redis, id)));
  const moving = states.flatMap((state) =>
    state === undefined || FINAL.includes(state.batch.status) ? [] : state,
  );
  for (const { batch, record } of moving) if (batch.status === "validating") await enqueueRun(deps, record);
  return moving;
}
