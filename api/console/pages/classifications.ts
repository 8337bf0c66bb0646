import { Hono } from "hono";
import { html } from "hono/html";
import type { Context } from "hono";
import { z } from "zod";
import { ClassificationStatus } from "../../../shared/contracts/classification.ts";
import type { Classification } from "../../../shared/contracts/classification.ts";
import { ClassificationId } from "../../../shared/contracts/ids.ts";
import type { ApiDeps } from "../../deps.ts";
import { cancelClassification } from "../../services/cancel-classification.ts";
import { getClassification } from "../../services/get-classification.ts";
import { listClassifications } from "../../services/list-classifications.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import { CLASSIFICATION_VIEWS, FILE } from "../parts/classification-views.ts";
import type { ClassificationView } from "../parts/classification-views.ts";
import { LOOK_AGAIN } from "../parts/look-again.ts";
import { pager } from "../parts/pager.ts";
import { postButton } from "../parts/post-button.ts";
import { parseForm } from "../parts/read-form.ts";
import { readPathId } from "../parts/read-path-id.ts";
import { imageName } from "../parts/thumbnail.ts";

/** Classifications on a page. */
const LISTED = 25;

const ListQuery = z.object({
  status: ClassificationStatus.optional(),
  cursor: ClassificationId.optional(),
});

/** The list of classifications, each of them, and the streams that keep both live. */
export function classificationPages(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/classifications", needs("read"), async (c) => {
    const { status, cursor } = parseForm(ListQuery, {
      status: c.req.query("status") || undefined,
      cursor: c.req.query("cursor"),
    });
    const filter = { status, model: undefined };
    const place = { limit: LISTED, before: cursor };
    const { data, next } = await listClassifications(deps, c.get("tenant"), filter, place);
    return page(c, {
      title: "Classifications",
      actions: statusFilter(status),
      main: html`${data.length > 0 ? table(data) : EMPTY}
      ${pager(`/console/classifications?status=${status ?? ""}`, cursor, next)}`,
    });
  });

  const streamOf = (view: ClassificationView) => (c: Context<ConsoleEnv>) =>
    live(c, async (id) => {
      const found = await getClassification(deps, c.get("tenant"), id);
      return { id, element: CLASSIFICATION_VIEWS[view](found), moves: found.completed_at === null };
    });
  pages.get("/console/classifications/cards", needs("read"), streamOf("card"));
  pages.get("/console/classifications/rows", needs("read"), streamOf("row"));
  pages.get("/console/classifications/details", needs("read"), streamOf("detail"));

  const find = (c: Context<ConsoleEnv>) =>
    getClassification(deps, c.get("tenant"), readPathId(c, ClassificationId));

  pages.get("/console/classifications/:id", needs("read"), async (c) => {
    const found = await find(c);
    const here = `/console/classifications/${found.id}`;
    const mayCancel = found.completed_at === null && c.get("scopes").includes("classify");
    return page(c, {
      title: imageName(found.input, found.metadata[FILE]),
      actions: html`<div class="actions">
        <a class="button" href="${here}/json">JSON</a>
        ${mayCancel && postButton(`${here}/cancel`, "Cancel", "danger")}
      </div>`,
      main: html`<p class="under"><code>${found.id}</code></p>
        <div data-live="/console/classifications/details" aria-live="polite">
          ${CLASSIFICATION_VIEWS.detail(found)}
        </div>
        ${found.completed_at === null && LOOK_AGAIN}`,
    });
  });

  pages.get("/console/classifications/:id/json", needs("read"), async (c) =>
    c.body(JSON.stringify(await find(c), null, 2), 200, { "content-type": "application/json" }),
  );

  pages.post("/console/classifications/:id/cancel", needs("classify"), async (c) => {
    const { id } = await cancelClassification(deps, c.get("tenant"), readPathId(c, ClassificationId));
    return c.redirect(`/console/classifications/${id}`, 303);
  });

  return pages;
}

const EMPTY = html`<p class="empty">
  There are none. <a href="/console">Classify an image</a> and it stands here.
</p>`;

const table = (data: readonly Classification[]) =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Classifications, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col">Image</th>
          <th scope="col">Best label</th>
          <th scope="col">Status</th>
          <th scope="col">Model</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody data-live="/console/classifications/rows">
        ${data.map(CLASSIFICATION_VIEWS.row)}
      </tbody>
    </table>
  </div>`;

const statusFilter = (chosen: ClassificationStatus | undefined) =>
  html`<form class="actions" method="get" action="/console/classifications">
    <label class="hidden" for="status">Status</label>
    <select id="status" name="status">
      <option value="">All states</option>
      ${ClassificationStatus.options.map((each) => html`<option ${each === chosen && html`selected`}>${each}</option>`)}
    </select>
    <button>Filter</button>
  </form>`;
