import pLimit from "p-limit";
import type { Batch } from "../../shared/contracts/batch.ts";
import { redisKeys } from "../../shared/keys.ts";
import { idsKeptFrom } from "../../shared/retention.ts";
import { pageOfIds } from "../../shared/state/id-list.ts";
import type { PageOf, Place } from "../../shared/state/id-list.ts";
import type { ApiDeps } from "../deps.ts";
import { lookForBatch } from "./get-batch.ts";

/** Batches that are looked up at once, each of which may have to be read from storage. */
const LOOKED_UP_AT_ONCE = 16;

/** The tenant's newest batches, the newest first. */
export async function listBatches(
  deps: Pick<ApiDeps, "config" | "redis" | "storage">,
  tenant: string,
  place: Place,
): Promise<PageOf<Batch>> {
  const atOnce = pLimit(LOOKED_UP_AT_ONCE);
  const oldest = idsKeptFrom(deps.config.RETENTION_DAYS, "bat");
  const { data, next } = await pageOfIds(deps.redis, redisKeys.batchesOfTenant(tenant), place, oldest);
  const found = await Promise.all(data.map((id) => atOnce(() => lookForBatch(deps, tenant, id))));
  return { data: found.flatMap((each) => each?.batch ?? []), next };
}
