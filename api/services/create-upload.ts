import type { CreateUpload, Upload } from "../../shared/contracts/upload.ts";
import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { newId } from "../../shared/new-id.ts";
import { UPLOAD_TTL, putUpload } from "../../shared/state/uploads.ts";
import type { ApiDeps } from "../deps.ts";

/** Seconds in which an upload has to be sent. */
const SEND_WITHIN_S = 15 * 60;

/** Makes a place for an image: in the bucket itself where storage is one, else at this API. Throws AppError image_too_large. */
export async function createUpload(
  { config, redis, storage, baseUrl }: Pick<ApiDeps, "config" | "redis" | "storage" | "baseUrl">,
  tenant: string,
  { media_type, bytes }: CreateUpload,
): Promise<Upload> {
  if (bytes > config.MAX_BODY_BYTES) {
    const detail = `an upload has at most ${config.MAX_BODY_BYTES} bytes; give larger images by their URL`;
    throw new AppError("image_too_large", `bytes: ${detail}.`, [
      { pointer: "/bytes", detail, code: "too_big" },
    ]);
  }
  const id = newId("upl");
  const now = Date.now();
  const after = (seconds: number) => new Date(now + seconds * 1_000).toISOString();
  const send_by = after(SEND_WITHIN_S);
  const signing = { contentType: media_type, bytes, seconds: SEND_WITHIN_S };
  const signed = await storage.signPut(storageKeys.upload(id), signing);
  await putUpload(redis, tenant, id, { media_type, bytes, send_by });
  return {
    id,
    object: "upload",
    media_type,
    bytes,
    method: "PUT",
    url: signed ?? `${baseUrl()}/v1/uploads/${id}`,
    headers: { "content-type": media_type },
    created_at: new Date(now).toISOString(),
    send_by,
    use_by: after(UPLOAD_TTL),
  };
}
