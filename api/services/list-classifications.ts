import pLimit from "p-limit";
import type { Classification, ClassificationStatus } from "../../shared/contracts/classification.ts";
import { redisKeys } from "../../shared/keys.ts";
import { idsKeptFrom } from "../../shared/retention.ts";
import { pageOfIds } from "../../shared/state/id-list.ts";
import type { PageOf, Place } from "../../shared/state/id-list.ts";
import type { ApiDeps } from "../deps.ts";
import { findClassification } from "./get-classification.ts";
import { knownModels } from "./resolve-model.ts";

/** Classifications that are looked up at once, each of which may have to be read from storage, and for one page. */
const LOOKED_UP_AT_ONCE = 16;
const LOOKED_UP = 500;

/** Which classifications are wanted; undefined for all. */
export interface ClassificationFilter {
  status: ClassificationStatus | undefined;
  model: string | undefined;
}

/**
 * The tenant's newest classifications, the newest first. What they are is looked up now, so where few are wanted of many a
 * page may have fewer than its limit and others after it all the same.
 */
export async function listClassifications(
  deps: Pick<ApiDeps, "config" | "redis" | "storage" | "queues">,
  tenant: string,
  { status, model }: ClassificationFilter,
  { limit, before }: Place,
): Promise<PageOf<Classification>> {
  const models = await knownModels(deps);
  const oldest = idsKeptFrom(deps.config.RETENTION_DAYS, "cls");
  const atOnce = pLimit(LOOKED_UP_AT_ONCE);
  const isWanted = (each: Classification) =>
    (status ?? each.status) === each.status && (model ?? each.model) === each.model;
  const data: Classification[] = [];
  let from = before;
  for (let lookedUp = 0; ;) {
    const place = { limit: limit - data.length, before: from };
    const ids = await pageOfIds(deps.redis, redisKeys.classificationsOfTenant(tenant), place, oldest);
    const found = await Promise.all(
      ids.data.map((id) => atOnce(() => findClassification(deps, tenant, id, models))),
    );
    data.push(...found.filter((each) => each !== undefined).filter(isWanted));
    lookedUp += ids.data.length;
    if (ids.next === null || data.length === limit || lookedUp >= LOOKED_UP) return { data, next: ids.next };
    from = ids.next;
  }
}
