import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { ApiDeps } from "../deps.ts";
import { knownUpload } from "./find-upload.ts";
import type { ImageBytes } from "./store-image.ts";

/**
 * Stores the file of an upload, which has to be what was announced. Sent again, it is replaced. Throws AppError not_found,
 * gone when its time has passed, unsupported_media_type or invalid_image.
 */
export async function receiveUpload(
  deps: Pick<ApiDeps, "redis" | "storage">,
  tenant: string,
  id: string,
  { bytes, mediaType }: ImageBytes,
): Promise<void> {
  const announced = await knownUpload(deps, tenant, id);
  if (Date.parse(announced.send_by) < Date.now())
    throw new AppError("gone", `The upload ${id} had to be sent by ${announced.send_by}; make another.`);
  if (mediaType !== announced.media_type)
    throw new AppError(
      "unsupported_media_type",
      `This upload was announced as ${announced.media_type}: send that as its Content-Type.`,
    );
  if (bytes.byteLength !== announced.bytes)
    throw new AppError(
      "invalid_image",
      `This upload was announced with ${announced.bytes} bytes and has ${bytes.byteLength}.`,
    );
  await deps.storage.put(storageKeys.upload(id), bytes, { contentType: mediaType });
}
