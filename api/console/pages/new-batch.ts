import { Hono } from "hono";
import type { Context } from "hono";
import { CreateBatch } from "../../../shared/contracts/batch.ts";
import { HttpUrl } from "../../../shared/contracts/image.ts";
import { AppError } from "../../../shared/errors.ts";
import { ERROR_KINDS } from "../../../shared/contracts/error.ts";
import type { ApiDeps } from "../../deps.ts";
import { createBatch } from "../../services/create-batch.ts";
import { listShownModels } from "../../services/list-models.ts";
import type { ConsoleEnv } from "../env.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import { batchForm } from "../parts/batch-form.ts";
import type { Filled } from "../parts/fields.ts";
import { linesOf } from "../parts/lines-of.ts";
import { numberOf, parseForm, readForm, textOf } from "../parts/read-form.ts";
import type { Sent } from "../parts/read-form.ts";

/** The form that makes a batch; what is refused stays in its fields. */
export function newBatchPages(deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/batches/new", needs("classify"), (c) => formPage(c, { sent: {} }));

  pages.post("/console/batches", needs("classify"), async (c) => {
    const sent = await readForm(c);
    try {
      const { id } = await createBatch(deps, {
        tenant: c.get("tenant"),
        request: parseForm(CreateBatch, requestOf(sent)),
        cancelAfterMs: undefined,
        traceparent: c.get("traceparent"),
      });
      return c.redirect(`/console/batches/${id}`, 303);
    } catch (error) {
      if (error instanceof AppError) return formPage(c, { sent, error });
      throw error;
    }
  });

  const formPage = async (c: Context<ConsoleEnv>, filled: Filled) =>
    page(c, {
      title: "New batch",
      status: filled.error === undefined ? 200 : ERROR_KINDS[filled.error.code].status,
      main: batchForm(await listShownModels(deps), deps.config.S3_SOURCE_BUCKETS, filled),
    });

  return pages;
}

const requestOf = (sent: Sent) => ({
  ...sourceOf(sent),
  model: textOf(sent, "model"),
  top_k: numberOf(sent, "top_k"),
  output_formats: sent["csv"],
});

/** The source that was chosen; an item has its address as its name. Throws AppError invalid_request when it is not filled in. */
function sourceOf(sent: Sent): Partial<Record<"items" | "prefix" | "manifest", unknown>> {
  const source = textOf(sent, "source");
  if (source === "prefix")
    return { prefix: { bucket: textOf(sent, "bucket") ?? "", prefix: textOf(sent, "prefix") ?? "" } };
  if (source === "manifest") {
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(textOf(sent, "manifest") ?? "") ?? [];
    if (bucket === undefined)
      throw new AppError("invalid_request", "Say where the manifest is: s3://bucket/key.");
    return { manifest: { s3: { bucket, key } } };
  }
  const urls = linesOf(sent, "urls");
  if (urls.length === 0) throw new AppError("invalid_request", "Paste the addresses of images, one a line.");
  const wrong = urls.find((url) => !HttpUrl.safeParse(url).success);
  if (wrong !== undefined)
    throw new AppError("invalid_request", `"${wrong.slice(0, 200)}" is no http or https address.`);
  return { items: urls.map((url) => ({ custom_id: url.slice(0, 1_100), image: { url } })) };
}
