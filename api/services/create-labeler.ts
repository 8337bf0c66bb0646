import type { CreateLabeler, Labeler } from "../../shared/contracts/labeler.ts";
import { AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/new-id.ts";
import { MAX_LABELERS, putLabeler } from "../../shared/state/labelers.ts";
import type { ApiDeps } from "../deps.ts";
import { checkBucket } from "./check-bucket.ts";
import { getLabeler } from "./get-labeler.ts";
import { resolveModel } from "./resolve-model.ts";
import { resolveWebhook } from "./resolve-webhook.ts";

/** Makes a labeler, which labels from now on what events tell of. Throws AppError fetch_forbidden for a bucket that may not be read, conflict when the tenant has as many as it may. */
export async function createLabeler(
  deps: ApiDeps,
  tenant: string,
  request: CreateLabeler,
  id: string = newId("lbl"),
): Promise<Labeler> {
  checkBucket(deps, request.bucket, "/bucket");
  const model = await resolveModel(deps, request.model);
  const webhook = await resolveWebhook(deps, tenant, request);
  const { bucket, prefix, suffixes = null, top_k, threshold, write_back, on_error, metadata } = request;
  const isMade = await putLabeler(deps.redis, {
    id,
    tenant,
    bucket,
    prefix,
    suffixes,
    model,
    top_k,
    threshold,
    write_back,
    on_error,
    metadata,
    webhook,
    created_at: new Date().toISOString(),
    url: `${deps.baseUrl()}/v1/labelers/${id}`,
  });
  if (!isMade)
    throw new AppError(
      "conflict",
      `There are ${MAX_LABELERS} labelers already, as many as there may be; delete one.`,
    );
  return getLabeler(deps, tenant, id);
}
