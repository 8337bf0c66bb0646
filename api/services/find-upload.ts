import type { ImagePointer } from "../../shared/contracts/image.ts";
import type { UploadRecord } from "../../shared/contracts/upload.ts";
import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { getUpload } from "../../shared/state/uploads.ts";
import type { ApiDeps } from "../deps.ts";

/** What is known of a tenant's upload, sent or not. Throws AppError not_found. */
export async function knownUpload(
  { redis }: Pick<ApiDeps, "redis">,
  tenant: string,
  id: string,
  pointer?: string,
): Promise<UploadRecord> {
  const record = await getUpload(redis, tenant, id);
  if (record !== undefined) return record;
  const detail = `there is no upload ${id}, or it was made more than a day ago; POST /v1/uploads makes one`;
  throw new AppError(
    "not_found",
    `T${detail.slice(1)}.`,
    pointer === undefined ? [] : [{ pointer, detail, code: "not_found" }],
  );
}

/**
 * Where a worker finds what a tenant has uploaded. `pointer` is where the request names it. Throws AppError not_found, or
 * fetch_failed when nothing has been sent there.
 */
export async function findUpload(
  deps: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
  pointer: string,
): Promise<ImagePointer> {
  const { media_type } = await knownUpload(deps, tenant, id, pointer);
  const key = storageKeys.upload(id);
  const bytes = await deps.storage.size(key);
  if (bytes !== undefined) return { type: "data", key, media_type, bytes };
  const detail = `nothing has been sent to the upload ${id} yet; PUT the file to its url first`;
  throw new AppError("fetch_failed", `N${detail.slice(1)}.`, [{ pointer, detail, code: "fetch_failed" }]);
}
