import { Batch } from "../../shared/contracts/batch.ts";
import { Tenant } from "../../shared/contracts/ids.ts";
import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { getBatchState } from "../../shared/state/batches.ts";
import type { ApiDeps } from "../deps.ts";

const Manifest = Batch.extend({ tenant: Tenant });

/** The batch of this id: from Redis while it moves, else from the manifest in storage. Another tenant's is not found. Throws AppError not_found. */
export async function getBatch(
  { redis, storage }: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<Batch> {
  const state = await getBatchState(redis, id);
  if (state?.record.tenant === tenant) return state.batch;
  const stored = await storage.get(storageKeys.batchManifest(id));
  const manifest = stored && Manifest.parse(JSON.parse(new TextDecoder().decode(stored)));
  if (manifest?.tenant !== tenant) throw new AppError("not_found", `There is no batch ${id}.`);
  return Batch.parse(manifest);
}

/** The results of a completed batch, one JSON line an item in the order of the items. Throws AppError not_found, or conflict when it is not completed. */
export async function getBatchResults(
  deps: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
): Promise<ReadableStream<Uint8Array>> {
  const { status, progress, error } = await getBatch(deps, tenant, id);
  if (error !== null)
    throw new AppError("conflict", `The batch has no results, for it failed: ${error.detail}`);
  if (status !== "completed")
    throw new AppError(
      "conflict",
      `The batch is ${status}, ${Math.floor(progress * 100)} % of its items have ended; its results are here once it is completed.`,
    );
  const results = await deps.storage.getStream(storageKeys.batchResults(id));
  if (results === undefined)
    throw new AppError("not_found", `The results of batch ${id} are no longer stored.`);
  return results;
}
