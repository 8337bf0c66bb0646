import type { ImageInput, ImagePointer } from "../../shared/contracts/image.ts";
import { AppError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import type { ApiDeps } from "../deps.ts";

/** The bytes of an image that came with a request. */
export interface ImageBytes {
  bytes: Uint8Array;
  mediaType: string;
}

/** Makes a pointer of an image source: a job holds no pixels, so bytes that came with the request are stored under `id`. */
export async function storeImage(
  storage: ApiDeps["storage"],
  id: string,
  image: ImageInput | ImageBytes,
): Promise<ImagePointer> {
  if ("url" in image) return { type: "url", url: image.url };
  const { bytes, mediaType } = "data" in image ? parseDataUrl(image.data) : image;
  const key = storageKeys.upload(id);
  await storage.put(key, bytes, { contentType: mediaType });
  return { type: "data", key, media_type: mediaType, bytes: bytes.byteLength };
}

function parseDataUrl(url: string): ImageBytes {
  const comma = url.indexOf(",");
  const base64 = url.slice(comma + 1);
  const bytes = Buffer.from(base64, "base64");
  // Buffer leaves out what is not base 64; less than the text promises means that there was such.
  if (bytes.byteLength !== Math.floor((base64.replace(/=+$/, "").length * 3) / 4))
    throw new AppError("invalid_image", "The data URL is not valid base 64.");
  return { bytes, mediaType: url.slice("data:".length, url.indexOf(";")).toLowerCase() };
}
