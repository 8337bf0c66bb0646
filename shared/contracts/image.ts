import * as z from "zod";
import { UploadId } from "./ids.ts";

/** The longest URL an image may have, in characters. */
export const MAX_URL_LENGTH = 4096;

/** An http or https address. Whether it may be reached is decided when it is, by its resolved addresses. */
export const HttpUrl = z
  .url({ protocol: /^https?$/, error: "must be an http or https URL" })
  .max(MAX_URL_LENGTH, `must have at most ${MAX_URL_LENGTH} characters`)
  .meta({ format: "uri", example: "https://example.com/cat.jpg" });

/** The longest key of an object, in bytes of UTF-8: S3's own limit. */
const MAX_KEY_BYTES = 1024;
const S3_BUCKET = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,61}[a-zA-Z0-9]$/;

/** The name of a bucket. */
export const BucketName = z
  .string()
  .regex(S3_BUCKET, "must be the name of a bucket")
  .meta({ example: "photos" });

/** The key of an object as it is: not URL-encoded. */
export const ObjectKey = z
  .string()
  .min(1)
  .refine(
    (key) => key.isWellFormed() && new TextEncoder().encode(key).length <= MAX_KEY_BYTES,
    `must be Unicode of at most ${MAX_KEY_BYTES} bytes`,
  )
  .meta({ description: "The key as it is, not URL-encoded.", example: "2026/cat.jpg" });

/** An object in a bucket, and which version of it when that matters. */
export const S3Object = z
  .strictObject({
    bucket: BucketName,
    key: ObjectKey,
    version_id: z.string().min(1).max(1024).optional(),
  })
  .meta({ id: "S3Object", description: "An object in a bucket that the operator allows to read from." });
export type S3Object = z.infer<typeof S3Object>;

const BASE64_MARK = ";base64,";

/** Whether a data URL's base 64 (RFC 4648, section 4, padded or not) is such; true when there is none. In time linear in its length. */
function hasValidBase64(url: string): boolean {
  const mark = url.indexOf(BASE64_MARK);
  if (mark < 0) return true;
  const text = url.slice(mark + BASE64_MARK.length);
  const digits = text.endsWith("==") ? text.slice(0, -2) : text.endsWith("=") ? text.slice(0, -1) : text;
  const isWhole = text === digits ? digits.length % 4 !== 1 : text.length % 4 === 0;
  return isWhole && !/[^A-Za-z0-9+/]/.test(digits);
}

/** Where the pixels of an image come from, as a client writes it: exactly one of the fields. */
export const ImageInput = z
  .union(
    [
      z.strictObject({ url: HttpUrl }),
      z.strictObject({
        data: z
          .string()
          .regex(/^data:image\/[A-Za-z0-9.+-]+;base64,/, "must begin with data:image/…;base64,")
          .refine(hasValidBase64, "is not valid base 64 after the comma")
          .meta({ description: "A data URL.", example: "data:image/png;base64,iVBORw0KGgo=" }),
      }),
      z.strictObject({ s3: S3Object }),
      z.strictObject({ upload_id: UploadId }),
    ],
    {
      error:
        'must be {"url": "https://…"}, {"data": "data:image/png;base64,…"}, {"s3": {"bucket": "…", "key": "…"}} or {"upload_id": "upl_…"}',
    },
  )
  .meta({ id: "ImageInput", description: "Where the pixels come from: exactly one of the fields." });
export type ImageInput = z.infer<typeof ImageInput>;

/** Where a worker gets an image from: jobs hold pointers, never pixels. `key` is a storage key, `bytes` a size. */
export const ImagePointer = z.discriminatedUnion("type", [
  z.object({ type: z.literal("url"), url: HttpUrl }),
  z.object({ type: z.literal("data"), key: z.string(), media_type: z.string(), bytes: z.int() }),
  // With an ETag: only that very version; an object that has changed since is read anew.
  z.object({ type: z.literal("s3"), ...S3Object.shape, etag: z.string().optional() }),
]);
export type ImagePointer = z.infer<typeof ImagePointer>;

/** What a classification says of its image source. */
export const ImageSource = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("url"), url: z.string() }),
    z.object({
      type: z.literal("data"),
      media_type: z.string(),
      bytes: z.int(),
      upload_id: z.string().optional().meta({
        description: "Under which id the bytes are stored: of an upload, and in the results of a batch.",
      }),
    }),
    z.object({ type: z.literal("s3"), ...S3Object.shape }),
  ])
  .meta({
    id: "ImageSource",
    description:
      "The image that was sent: its address, its place in a bucket, or its type and size in bytes.",
  });
export type ImageSource = z.infer<typeof ImageSource>;
