import pLimit from "p-limit";
import { readManifest } from "../../shared/batch-manifest.ts";
import type { EndedBatch } from "../../shared/batch-manifest.ts";
import type { Run } from "../../shared/contracts/labeler.ts";
import { AppError } from "../../shared/errors.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import type { PageOf, Place } from "../../shared/state/id-list.ts";
import { listRunIds } from "../../shared/state/labeler-runs.ts";
import { isPaused } from "../../shared/state/labelers.ts";
import { toRun } from "../../shared/state/runs.ts";
import type { ApiDeps } from "../deps.ts";
import { getBatchResults } from "./get-batch.ts";
import { findLabeler } from "./get-labeler.ts";
import { notThere } from "./not-there.ts";

type Deps = Pick<ApiDeps, "config" | "redis" | "storage">;

/** Manifests that are read from storage at once. */
const READ_AT_ONCE = 16;

/** The run of this id, of whichever labeler: from Redis while it moves, else from storage, where it stays when the labeler is deleted. Another tenant's is not found. Throws AppError not_found, or gone. */
export async function findRun(deps: Deps, tenant: string, id: string): Promise<Run> {
  const found = await find(deps, id);
  const labeler = found?.record.labeler;
  if (found?.record.tenant !== tenant || labeler === undefined)
    throw notThere(deps, id, `There is no run ${id}.`);
  return toRun(found, { paused: await isPaused(deps.redis, labeler.id) });
}

/** The same of one labeler alone. Throws AppError not_found, or gone. */
export async function getRun(deps: Deps, tenant: string, labelerId: string, id: string): Promise<Run> {
  const run = await findRun(deps, tenant, id);
  if (run.labeler_id !== labelerId)
    throw new AppError("not_found", `The labeler ${labelerId} has no run ${id}.`);
  return run;
}

/** A page of the runs of a labeler, the latest started first. Throws AppError not_found. */
export async function listRuns(
  deps: Deps,
  tenant: string,
  labelerId: string,
  place: Place,
): Promise<PageOf<Run>> {
  const { labeler } = await findLabeler(deps, tenant, labelerId);
  const limit = pLimit(READ_AT_ONCE);
  const { data, next } = await listRunIds(deps.redis, labelerId, place);
  const found = await Promise.all(data.map((id) => limit(() => find(deps, id))));
  const paused = labeler.status === "paused";
  return { data: found.flatMap((each) => (each === undefined ? [] : toRun(each, { paused }))), next };
}

/** The results of a run that has ended, one JSON line an object. Throws AppError not_found, gone, or conflict when it has none. */
export async function getRunResults(
  deps: Deps,
  tenant: string,
  labelerId: string,
  id: string,
): Promise<ReadableStream<Uint8Array>> {
  await getRun(deps, tenant, labelerId, id);
  return getBatchResults(deps, tenant, id, "jsonl");
}

const find = async ({ redis, storage }: Deps, id: string): Promise<EndedBatch | undefined> =>
  (await getBatchState(redis, id)) ?? readManifest(storage, id);
