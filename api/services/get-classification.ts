import type { Classification } from "../../shared/contracts/classification.ts";
import { AppError } from "../../shared/errors.ts";
import { batchItemOf } from "../../shared/new-id.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { readResult } from "../../shared/save-result.ts";
import type { ApiDeps } from "../deps.ts";
import { notThere } from "./not-there.ts";
import { knownModels } from "./resolve-model.ts";

type Deps = Pick<ApiDeps, "config" | "redis" | "storage" | "queues">;

/** The classification of this id. Throws AppError not_found, or gone. */
export async function getClassification(deps: Deps, tenant: string, id: string): Promise<Classification> {
  refuseBatchItem(id);
  const found = await findClassification(deps, tenant, id, await knownModels(deps));
  if (found === undefined) throw notThere(deps, id, `There is no classification ${id}.`);
  return found;
}

/** The tenant's classification of this id and one of these models: told by its job while it moves, else by storage; or undefined. */
export async function findClassification(
  { storage, queues }: Pick<Deps, "storage" | "queues">,
  tenant: string,
  id: string,
  models: readonly string[],
): Promise<Classification | undefined> {
  const moving = await queues.findClassification(models, id);
  const isOwn = moving?.payload.tenant === tenant;
  if (isOwn && moving.startedAt === undefined) return queuedClassification(moving.payload);
  // A job goes a moment after its result is stored: what was told as finished must not be seen to be processed again.
  const stored = await readResult(storage, { id, tenant });
  if (stored !== undefined || !isOwn) return stored;
  const started_at = moving.startedAt?.toISOString() ?? null;
  return { ...queuedClassification(moving.payload), status: "processing", started_at };
}

/** Throws AppError not_found for the id of a batch's item, which is no classification that stands alone. */
export function refuseBatchItem(id: string): void {
  const item = batchItemOf(id);
  if (item !== undefined)
    throw new AppError(
      "not_found",
      `${id} is item ${item.index} of batch ${item.batchId}: it is in that batch's results.`,
    );
}
