import type { ImagePointer, ImageSource } from "./contracts/image.ts";
import { storageKeys } from "./keys.ts";

/** What is said of an image: enough to find it again. */
export function inputOf(image: ImagePointer): ImageSource {
  if (image.type === "url") return image;
  if (image.type === "data") {
    const { type, key, media_type, bytes } = image;
    return { type, media_type, bytes, upload_id: key.slice(storageKeys.upload("").length) };
  }
  const { etag: _, ...object } = image;
  return object;
}

/** Where a worker gets the image from that a line tells of; undefined when the line does not say under which id its bytes are stored. */
export function pointerOf(input: ImageSource): ImagePointer | undefined {
  if (input.type !== "data") return input;
  const { type, media_type, bytes, upload_id } = input;
  return upload_id === undefined
    ? undefined
    : { type, key: storageKeys.upload(upload_id), media_type, bytes };
}
