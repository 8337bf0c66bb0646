import type { CreateRun, Run } from "../../shared/contracts/labeler.ts";
import { AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/new-id.ts";
import type { ApiDeps } from "../deps.ts";
import { checkBucket } from "./check-bucket.ts";
import { findLabeler } from "./get-labeler.ts";
import { movingRuns } from "./moving-runs.ts";
import { startRun } from "./start-run.ts";

/** Starts a run of a labeler. Throws AppError not_found, conflict while another of its runs moves, fetch_forbidden for an inventory in a bucket that may not be read. */
export async function createRun(
  deps: ApiDeps,
  tenant: string,
  labelerId: string,
  request: CreateRun,
  traceparent: string,
  id: string = newId("run"),
): Promise<Run> {
  const labeler = await findLabeler(deps, tenant, labelerId);
  if (request.inventory) checkBucket(deps, request.inventory.s3.bucket, "/inventory/s3/bucket");
  const moving = (await movingRuns(deps, labelerId)).find(({ batch }) => batch.id !== id);
  if (moving !== undefined)
    throw new AppError(
      "conflict",
      `The run ${moving.batch.id} of this labeler is ${moving.batch.status}: wait for its end, or cancel it.`,
    );
  const run = await startRun(deps, labeler, { id, request, unseen: 0, traceparent });
  if (run === undefined)
    throw new AppError(
      "conflict",
      "Another run of this labeler was started at the same time, or it was deleted.",
    );
  return run;
}
