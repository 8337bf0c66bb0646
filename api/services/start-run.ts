import type { CreateRun, LabelerRecord, Run } from "../../shared/contracts/labeler.ts";
import type { BatchRecord, BatchSource } from "../../shared/contracts/queue-payloads.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import { putRun } from "../../shared/state/labeler-runs.ts";
import type { LabelerState } from "../../shared/state/labelers.ts";
import { toRun } from "../../shared/state/runs.ts";
import type { ApiDeps } from "../deps.ts";
import { enqueueRun } from "./enqueue-run.ts";

/** A run to start. */
export interface NewRun {
  id: string;
  request: CreateRun;
  /** How many objects that were missed are found by it. */
  unseen: number;
  /** The place in a trace that its jobs go under. */
  traceparent: string;
}

/**
 * Starts a run of a labeler: when it returns, Redis has the job that lists its objects. Undefined when another run was
 * started since `labeler` was read, or when it was deleted. Starting the same run again changes nothing.
 */
export async function startRun(
  deps: Pick<ApiDeps, "redis" | "queues">,
  { record, labeler, runs }: LabelerState,
  { id, request, unseen, traceparent }: NewRun,
): Promise<Run | undefined> {
  const run = recordOf(id, record, request);
  if (!(await putRun(deps.redis, record.id, run, { runs, unseen }))) return undefined;
  await enqueueRun(deps, run, traceparent);
  const state = await getBatchState(deps.redis, run.id);
  if (state === undefined) throw new Error(`Run ${run.id} vanished while it was started. This is a bug.`);
  return toRun(state, { paused: labeler.status === "paused" });
}

function recordOf(
  id: string,
  labeler: LabelerRecord,
  { mode, inventory, images_per_second }: CreateRun,
): BatchRecord {
  const { tenant, model, top_k, threshold, write_back, on_error, metadata, webhook } = labeler;
  return {
    id,
    tenant,
    model,
    top_k,
    threshold,
    labeler: { id: labeler.id, write_back, on_error, mode },
    images_per_second,
    output_formats: [],
    deadline: null,
    expires_at: null,
    metadata,
    source: sourceOf(labeler, inventory),
    webhook,
    created_at: new Date().toISOString(),
    url: `${labeler.url}/runs/${id}`,
  };
}

function sourceOf(
  { bucket, prefix, suffixes }: LabelerRecord,
  inventory: CreateRun["inventory"],
): BatchSource {
  const which = { prefix, suffixes: suffixes ?? undefined };
  return inventory === undefined
    ? { type: "prefix", bucket, ...which }
    : { type: "inventory", ...inventory.s3, of_bucket: bucket, ...which };
}
