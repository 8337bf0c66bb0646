import type { ImageInput } from "../../shared/contracts/image.ts";
import type { Context } from "./command.ts";
import { UsageError } from "./command.ts";
import { parseS3Address } from "./s3-address.ts";

/** The image that an argument names: an http address, an object `s3://BUCKET/KEY`, or a file, which is read. Throws UsageError when it has no image's name or cannot be read. */
export async function openImage(
  name: string,
  context: Pick<Context, "readFile">,
): Promise<ImageInput | Blob> {
  const s3 = parseS3Address(name);
  if (s3) return { s3 };
  return /^https?:\/\//.test(name) ? { url: name } : openImageFile(name, context);
}

/** The same of a file alone. Its type is told by the end of its name. */
export async function openImageFile(path: string, { readFile }: Pick<Context, "readFile">): Promise<Blob> {
  const type = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase();
  if (type === undefined)
    throw new UsageError(`The name ${path} says no image format; rename it to end in .jpg or .png.`);
  return new Blob([await readFile(path)], { type: `image/${type === "jpg" ? "jpeg" : type}` });
}
