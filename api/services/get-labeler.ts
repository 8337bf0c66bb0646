import type { Labeler } from "../../shared/contracts/labeler.ts";
import { AppError } from "../../shared/errors.ts";
import { getLabelerState } from "../../shared/state/labelers.ts";
import type { LabelerState } from "../../shared/state/labelers.ts";
import type { ApiDeps } from "../deps.ts";

/** All that is known of the tenant's labeler of this id. Another tenant's is not found. Throws AppError not_found. */
export async function findLabeler(
  { redis }: Pick<ApiDeps, "redis">,
  tenant: string,
  id: string,
): Promise<LabelerState> {
  const state = await getLabelerState(redis, tenant, id);
  if (state === undefined) throw new AppError("not_found", `There is no labeler ${id}.`);
  return state;
}

/** The tenant's labeler of this id. Throws AppError not_found. */
export async function getLabeler(deps: Pick<ApiDeps, "redis">, tenant: string, id: string): Promise<Labeler> {
  return (await findLabeler(deps, tenant, id)).labeler;
}
