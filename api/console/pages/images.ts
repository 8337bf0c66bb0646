import { Hono } from "hono";
import { ClassificationId, UploadId } from "../../../shared/contracts/ids.ts";
import { AppError } from "../../../shared/errors.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { batchItemOf } from "../../../shared/new-id.ts";
import type { ApiDeps } from "../../deps.ts";
import { knownUpload } from "../../services/find-upload.ts";
import { getBatch } from "../../services/get-batch.ts";
import { getClassification } from "../../services/get-classification.ts";
import type { ConsoleEnv } from "../env.ts";
import { imageType } from "../image-type.ts";
import { needs } from "../needs.ts";

/** Seconds that a browser keeps an image, which never changes under its id. */
const KEPT_S = 3_600;

/** Images that came with requests, by the id of their classification, of a batch's item or of an upload. */
export function imagePages(deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/images/:id", needs("read"), async (c) => {
    const stream = await deps.storage.getStream(await keyOf(deps, c.get("tenant"), c.req.param("id")));
    if (stream === undefined) throw notHere();
    const reader = stream.getReader();
    const first = await reader.read();
    const type = imageType(first.value ?? new Uint8Array());
    if (type === undefined) {
      await reader.cancel();
      throw notHere();
    }
    // What somebody sent is shown as an image or not at all: nothing in it runs, whatever it is.
    c.header("content-security-policy", "default-src 'none'; sandbox");
    c.header("content-type", type);
    c.header("cache-control", `private, max-age=${KEPT_S}`);
    if (c.req.method !== "HEAD") return c.body(goOn(first.value, reader));
    // Hono answers HEAD with a GET whose body it drops: nobody would read the stream.
    await reader.cancel();
    return c.body(null);
  });

  return pages;
}

/** Where the bytes lie that belong to an id, if they are the tenant's. Throws AppError not_found, or gone. */
async function keyOf(deps: ApiDeps, tenant: string, id: string): Promise<string> {
  if (UploadId.safeParse(id).success) {
    await knownUpload(deps, tenant, id);
    return storageKeys.upload(id);
  }
  if (!ClassificationId.safeParse(id).success) throw notHere();
  const item = batchItemOf(id);
  if (item !== undefined) {
    await getBatch(deps, tenant, item.batchId);
    return storageKeys.upload(id);
  }
  const { input } = await getClassification(deps, tenant, id);
  if (input.type !== "data") throw notHere();
  return storageKeys.upload(input.upload_id ?? id);
}

const notHere = () => new AppError("not_found", "There is no image here that can be shown.");

/** The stream again from which the first piece was read. */
function goOn(
  first: Uint8Array | undefined,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  let piece = first;
  return new ReadableStream({
    async pull(controller) {
      const next = piece ?? (await reader.read()).value;
      piece = undefined;
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
