import { Classification } from "../../shared/contracts/classification.ts";
import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { batchItemOf } from "../../shared/new-id.ts";
import { getMovingClassification } from "../../shared/state/classifications.ts";
import type { ApiDeps } from "../deps.ts";

/** The classification of this id: from Redis while it moves, else from storage. Throws AppError not_found. */
export async function getClassification(
  { redis, storage, queues }: Pick<ApiDeps, "redis" | "storage" | "queues">,
  tenant: string,
  id: string,
): Promise<Classification> {
  const item = batchItemOf(id);
  if (item !== undefined)
    throw new AppError(
      "not_found",
      `${id} is item ${item.index} of batch ${item.batchId}: it is in that batch's results.`,
    );
  const moving = await getMovingClassification(redis, tenant, id);
  if (moving !== undefined) {
    const startedAt = await queues.startedAt(moving.model, id);
    return startedAt === undefined
      ? moving
      : { ...moving, status: "processing", started_at: startedAt.toISOString() };
  }
  const stored = await storage.get(storageKeys.result(tenant, id));
  if (stored === undefined) throw new AppError("not_found", `There is no classification ${id}.`);
  return Classification.parse(JSON.parse(new TextDecoder().decode(stored)));
}
