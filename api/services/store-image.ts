import type { ImageInput, ImagePointer } from "../../shared/contracts/image.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { ApiDeps } from "../deps.ts";

/** The bytes of an image that came with a request. */
export interface ImageBytes {
  bytes: Uint8Array;
  mediaType: string;
}

/** What is stored with a request, or is found by its id alone: everything but what was uploaded before. */
export type OwnImage = Exclude<ImageInput, { upload_id: string }> | ImageBytes;

/** Makes a pointer of an image source: a job holds no pixels, so bytes that came with the request are stored under `id`. */
export async function storeImage(
  storage: ApiDeps["storage"],
  id: string,
  image: OwnImage,
): Promise<ImagePointer> {
  if ("url" in image) return { type: "url", url: image.url };
  if ("s3" in image) return { type: "s3", ...image.s3 };
  const { bytes, mediaType } = "data" in image ? parseDataUrl(image.data) : image;
  const key = storageKeys.upload(id);
  await storage.put(key, bytes, { contentType: mediaType });
  return { type: "data", key, media_type: mediaType, bytes: bytes.byteLength };
}

/** The contract has checked that the URL is base 64. */
function parseDataUrl(url: string): ImageBytes {
  const bytes = Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
  return { bytes, mediaType: url.slice("data:".length, url.indexOf(";")).toLowerCase() };
}
