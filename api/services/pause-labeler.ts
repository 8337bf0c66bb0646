import type { Labeler } from "../../shared/contracts/labeler.ts";
import { pause } from "../../shared/state/labelers.ts";
import type { ApiDeps } from "../deps.ts";
import { getLabeler } from "./get-labeler.ts";

/** Pauses a labeler: its runs wait, and what events tell of is missed until it is resumed. Throws AppError not_found. */
export async function pauseLabeler(
  deps: Pick<ApiDeps, "redis">,
  tenant: string,
  id: string,
): Promise<Labeler> {
  await getLabeler(deps, tenant, id);
  await pause(deps.redis, id);
  return getLabeler(deps, tenant, id);
}
