import { Classification } from "../../shared/contracts/classification.ts";
import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { batchItemOf } from "../../shared/new-id.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import type { ApiDeps } from "../deps.ts";
import { knownModels } from "./resolve-model.ts";

/** The classification of this id: told by its job while it moves, else by storage. Throws AppError not_found. */
export async function getClassification(
  { config, redis, storage, queues }: Pick<ApiDeps, "config" | "redis" | "storage" | "queues">,
  tenant: string,
  id: string,
): Promise<Classification> {
  const item = batchItemOf(id);
  if (item !== undefined)
    throw new AppError(
      "not_found",
      `${id} is item ${item.index} of batch ${item.batchId}: it is in that batch's results.`,
    );
  const moving = await queues.findClassification(await knownModels({ config, redis }), id);
  const isOwn = moving?.payload.tenant === tenant;
  if (isOwn && moving.startedAt === undefined) return queuedClassification(moving.payload);
  // A job goes a moment after its result is stored: what was told as finished must not be seen to be processed again.
  const stored = await storage.get(storageKeys.result(tenant, id));
  if (stored !== undefined) return Classification.parse(JSON.parse(new TextDecoder().decode(stored)));
  if (!isOwn) throw new AppError("not_found", `There is no classification ${id}.`);
  const started_at = moving.startedAt?.toISOString() ?? null;
  return { ...queuedClassification(moving.payload), status: "processing", started_at };
}
