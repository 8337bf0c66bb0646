import { html } from "hono/html";
import type { ImageSource } from "../../../shared/contracts/image.ts";
import type { Html } from "../page.ts";

/**
 * The image that a classification is of, without words, since its name stands beside it. What cannot be shown (an object
 * of a bucket, what is gone) is a plain box, which the style draws behind every image.
 * @param id under which the bytes are found that came with the request: the classification's, or what the line of a batch says
 */
export function thumbnail(input: ImageSource, id: string): Html {
  const source = input.type === "url" ? input.url : `/console/images/${id}`;
  return html`<span class="thumb">
    ${
      input.type !== "s3" &&
      html`<img src="${source}" alt="" loading="lazy" decoding="async" referrerpolicy="no-referrer" />`
    }
  </span>`;
}

/** What an image is called: the name of its file as it was sent, the end of its address, its key in a bucket, or its type and size. */
export function imageName(input: ImageSource, file?: string): string {
  if (file !== undefined) return file;
  if (input.type === "s3") return input.key.slice(input.key.lastIndexOf("/") + 1) || input.key;
  if (input.type === "data")
    return `${input.media_type.replace("image/", "").toUpperCase()}, ${size(input.bytes)}`;
  const { pathname, host } = new URL(input.url);
  return decode(pathname.slice(pathname.lastIndexOf("/") + 1)) || host;
}

/** Where an image is, in full. */
export function imagePlace(input: ImageSource): string {
  if (input.type === "url") return input.url;
  if (input.type === "s3") return `s3://${input.bucket}/${input.key}`;
  return `${input.media_type}, ${size(input.bytes)}`;
}

/** A number of bytes as a person reads it. */
const size = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

/** A part of an address as a person reads it; as it is where that cannot be decoded. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
