import { readManifest } from "../../shared/batch-manifest.ts";
import type { EndedBatch } from "../../shared/batch-manifest.ts";
import type { Batch } from "../../shared/contracts/batch.ts";
import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import type { ApiDeps } from "../deps.ts";

/** All that is known of the batch of this id: from Redis while it moves, else from the manifest in storage. Another tenant's is not found. Throws AppError not_found. */
export async function findBatch(
  { redis, storage }: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<EndedBatch> {
  const state = await getBatchState(redis, id);
  const found = state?.record.tenant === tenant ? state : await readManifest(storage, id);
  if (found?.record.tenant !== tenant) throw new AppError("not_found", `There is no batch ${id}.`);
  return found;
}

/** The batch of this id. Throws AppError not_found. */
export async function getBatch(
  deps: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<Batch> {
  return (await findBatch(deps, tenant, id)).batch;
}

/** The states in which a batch has results. */
const HAVE_RESULTS: readonly string[] = ["completed", "canceled", "expired"];

/** The results of a batch that was completed, canceled or expired, one JSON line an item in the order of the items. Throws AppError not_found, or conflict when it has none. */
export async function getBatchResults(
  deps: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<ReadableStream<Uint8Array>> {
  const { status, progress, error } = await getBatch(deps, tenant, id);
  if (error !== null)
    throw new AppError("conflict", `The batch has no results, for it failed: ${error.detail}`);
  if (!HAVE_RESULTS.includes(status))
    throw new AppError(
      "conflict",
      `The batch is ${status}, ${Math.floor(progress * 100)} % of its items have ended; its results are here once all have.`,
    );
  const results = await deps.storage.getStream(storageKeys.batchResults(id));
  if (results === undefined)
    throw new AppError("not_found", `The results of batch ${id} are no longer stored.`);
  return results;
}
