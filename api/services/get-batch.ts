import { readManifest } from "../../shared/batch-manifest.ts";
import type { EndedBatch } from "../../shared/batch-manifest.ts";
import type { Batch } from "../../shared/contracts/batch.ts";
import { AppError } from "../../shared/errors.ts";
import { RESULT_FORMATS } from "../../shared/result-formats.ts";
import type { ResultFormat } from "../../shared/result-formats.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import type { ApiDeps } from "../deps.ts";
import { notThere } from "./not-there.ts";

/** All that is known of the batch of this id: from Redis while it moves, else from the manifest in storage. Another tenant's is not found. Throws AppError not_found, or gone. */
export async function findBatch(
  deps: Pick<ApiDeps, "config" | "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<EndedBatch> {
  const found = await lookForBatch(deps, tenant, id);
  if (found === undefined) throw notThere(deps, id, `There is no batch ${id}.`);
  return found;
}

/** The same, or undefined. */
export async function lookForBatch(
  { redis, storage }: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<EndedBatch | undefined> {
  const state = await getBatchState(redis, id);
  const found = state?.record.tenant === tenant ? state : await readManifest(storage, id);
  return found?.record.tenant === tenant ? found : undefined;
}

/** The batch of this id. Throws AppError not_found, or gone. */
export async function getBatch(
  deps: Pick<ApiDeps, "config" | "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<Batch> {
  return (await findBatch(deps, tenant, id)).batch;
}

/** The states in which a batch has results. */
const HAVE_RESULTS: readonly string[] = ["completed", "canceled", "expired"];

/** The results of a batch that was completed, canceled or expired, one line an item in the order of the items. Throws AppError not_found, or conflict when it has none or none in this format. */
export async function getBatchResults(
  deps: Pick<ApiDeps, "config" | "redis" | "storage">,
  tenant: string,
  id: string,
  format: ResultFormat,
): Promise<ReadableStream<Uint8Array>> {
  const { status, progress, error, output_formats } = await getBatch(deps, tenant, id);
  if (error !== null)
    throw new AppError("conflict", `The batch has no results, for it failed: ${error.detail}`);
  if (format !== "jsonl" && !output_formats.includes(format))
    throw new AppError(
      "conflict",
      `This batch was made without "${format}" in its output_formats, so its results are not written as such; they are with format=jsonl.`,
    );
  if (!HAVE_RESULTS.includes(status))
    throw new AppError(
      "conflict",
      `The batch is ${status}, ${Math.floor(progress * 100)} % of its items have ended; its results are here once all have.`,
    );
  const results = await deps.storage.getStream(RESULT_FORMATS[format].key(id));
  if (results === undefined) throw notThere(deps, id, `The results of batch ${id} are no longer stored.`);
  return results;
}
