import { Hono } from "hono";
import type { Context } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { OUTPUT_FORMATS } from "../../../shared/contracts/batch.ts";
import type { Batch } from "../../../shared/contracts/batch.ts";
import { BatchId } from "../../../shared/contracts/ids.ts";
import { RESULT_FORMATS } from "../../../shared/result-formats.ts";
import type { ApiDeps } from "../../deps.ts";
import { cancelBatch } from "../../services/cancel-batch.ts";
import { getBatch, getBatchResults } from "../../services/get-batch.ts";
import { listBatches } from "../../services/list-batches.ts";
import { listFailedItems } from "../../services/list-failed-items.ts";
import { hasEnded } from "../../services/refuse-while-it-moves.ts";
import { retryBatch } from "../../services/retry-batch.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { batchFacts, batchProgress, batchRow } from "../parts/batch-views.ts";
import { failedItems } from "../parts/failed-items.ts";
import { LOOK_AGAIN } from "../parts/look-again.ts";
import { pager } from "../parts/pager.ts";
import { postButton } from "../parts/post-button.ts";
import { parseForm } from "../parts/read-form.ts";
import { readPathId } from "../parts/read-path-id.ts";

/** Batches on a page, and items without labels on that of a batch. */
const LISTED = 25;
const UNDONE = 50;

const Format = z.object({ format: z.enum(["jsonl", ...OUTPUT_FORMATS]).default("jsonl") });

/** The list of batches, each of them with what failed, its results, and the streams that keep them live. */
export function batchPages(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/batches", needs("read"), async (c) => {
    const { cursor } = parseForm(z.object({ cursor: BatchId.optional() }), { cursor: c.req.query("cursor") });
    const { data, next } = await listBatches(deps, c.get("tenant"), { limit: LISTED, before: cursor });
    return page(c, {
      title: "Batches",
      actions: c.get("scopes").includes("classify")
        ? html`<a class="button primary" href="/console/batches/new">New batch</a>`
        : undefined,
      main: html`${data.length > 0 ? table(data) : EMPTY} ${pager("/console/batches", cursor, next)}`,
    });
  });

  pages.get("/console/batches/rows", needs("read"), (c) =>
    live(c, async (id) => {
      const batch = await getBatch(deps, c.get("tenant"), id);
      return { id, element: batchRow(batch), moves: !hasEnded(batch) };
    }),
  );

  pages.get("/console/batches/details", needs("read"), (c) =>
    live(c, async (id) => {
      const batch = await getBatch(deps, c.get("tenant"), id);
      return { id, element: await detail(c, batch), moves: !hasEnded(batch) };
    }),
  );

  pages.get("/console/batches/:id", needs("read"), async (c) => {
    const batch = await getBatch(deps, c.get("tenant"), readPathId(c, BatchId));
    return page(c, {
      title: "Batch",
      main: html`<p class="under"><code>${batch.id}</code></p>
        <div data-live="/console/batches/details">${await detail(c, batch)}</div>
        ${!hasEnded(batch) && LOOK_AGAIN}`,
    });
  });

  pages.get("/console/batches/:id/results", needs("read"), async (c) => {
    const id = readPathId(c, BatchId);
    const { format } = parseForm(Format, { format: c.req.query("format") });
    const results = await getBatchResults(deps, c.get("tenant"), id, format);
    c.header("content-type", RESULT_FORMATS[format].contentType);
    c.header("content-disposition", `attachment; filename="${id}.${format}"`);
    return c.body(results);
  });

  pages.post("/console/batches/:id/retry", needs("classify"), async (c) => {
    const { id } = await retryBatch(deps, c.get("tenant"), readPathId(c, BatchId), c.get("traceparent"));
    return c.redirect(`/console/batches/${id}`, 303);
  });

  pages.post("/console/batches/:id/cancel", needs("classify"), async (c) => {
    const { id } = await cancelBatch(deps, c.get("tenant"), readPathId(c, BatchId));
    return c.redirect(`/console/batches/${id}`, 303);
  });

  /** All of a batch as one element, so that what can be done with it changes as it ends. */
  const detail = async (c: Context<ConsoleEnv>, batch: Batch): Promise<Html> => {
    const { failed, canceled } = batch.request_counts;
    const isOver = hasEnded(batch);
    const undone =
      isOver && failed + canceled > 0 ? await listFailedItems(deps, c.get("tenant"), batch.id, UNDONE) : [];
    return html`<div id="${batch.id}" class="stack" ${!isOver && "data-moving"}>
      ${batchProgress(batch)}
      <div class="actions">${c.get("scopes").includes("classify") && acts(batch)} ${downloads(batch)}</div>
      ${undone.length > 0 && failedItems(undone, failed + canceled > undone.length)} ${batchFacts(batch)}
    </div>`;
  };

  return pages;
}

/** What can be done with a batch as it is. */
function acts(batch: Batch): Html | false {
  const { id, status, error, request_counts: counts } = batch;
  const here = `/console/batches/${id}`;
  if (!hasEnded(batch)) return status !== "canceling" && postButton(`${here}/cancel`, "Cancel", "danger");
  const isUndone = counts.failed + counts.canceled > 0 || status !== "completed";
  return error === null && isUndone && postButton(`${here}/retry`, "Retry what has no labels", "primary");
}

const downloads = (batch: Batch) =>
  hasEnded(batch) &&
  batch.error === null &&
  ["jsonl", ...batch.output_formats].map(
    (format) =>
      html`<a class="button" href="/console/batches/${batch.id}/results?format=${format}"
        >Results as ${format === "jsonl" ? "JSON lines" : format.toUpperCase()}</a
      >`,
  );

const EMPTY = html`<p class="empty">There are no batches yet.</p>`;

const table = (data: readonly Batch[]) =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Batches, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col">Batch</th>
          <th scope="col">Status</th>
          <th scope="col">Progress</th>
          <th scope="col" class="number">Items</th>
          <th scope="col" class="number">Failed</th>
          <th scope="col">Model</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody data-live="/console/batches/rows">
        ${data.map(batchRow)}
      </tbody>
    </table>
  </div>`;
