import * as z from "zod";
import { UploadId } from "./ids.ts";

/** The type of an image file, as in `Content-Type`. */
const MediaType = z
  .string()
  .regex(/^image\/[a-z0-9.+-]{1,64}$/, "must be the type of an image, such as image/jpeg")
  .meta({ example: "image/jpeg" });

const Bytes = z.int().min(1).meta({ description: "The very size of the file.", example: 4_211_733 });

/** The JSON body of `POST /v1/uploads`: what is going to be sent. */
export const CreateUpload = z
  .strictObject({ media_type: MediaType, bytes: Bytes })
  .meta({ id: "CreateUpload", example: { media_type: "image/jpeg", bytes: 4_211_733 } });
export type CreateUpload = z.infer<typeof CreateUpload>;

/** A place for an image that is sent before it is classified, and how to send it. */
export const Upload = z
  .object({
    id: UploadId,
    object: z.literal("upload"),
    media_type: MediaType,
    bytes: Bytes,
    method: z.literal("PUT"),
    url: z.string().meta({
      description:
        "Where to send the file. Of this API it takes the API key as always; any other is signed for this file alone and takes no key.",
    }),
    headers: z
      .record(z.string(), z.string())
      .meta({ description: "What has to be sent with it, besides a `Content-Length` of `bytes`." }),
    created_at: z.iso.datetime(),
    send_by: z.iso.datetime().meta({ description: "Until when it can be sent." }),
    use_by: z.iso.datetime().meta({ description: "Until when it can be named in a request." }),
  })
  .meta({ id: "Upload", description: "A place for an image that is sent before it is classified." });
export type Upload = z.infer<typeof Upload>;

/** What Redis knows of an upload. */
export const UploadRecord = CreateUpload.extend({ send_by: z.iso.datetime() });
export type UploadRecord = z.infer<typeof UploadRecord>;
