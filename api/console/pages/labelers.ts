import type { Context } from "hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { ERROR_KINDS } from "../../../shared/contracts/error.ts";
import { LabelerId } from "../../../shared/contracts/ids.ts";
import { CreateLabeler } from "../../../shared/contracts/labeler.ts";
import type { Labeler } from "../../../shared/contracts/labeler.ts";
import { AppError } from "../../../shared/errors.ts";
import { listLabelers } from "../../../shared/state/labelers.ts";
import type { ApiDeps } from "../../deps.ts";
import { createLabeler } from "../../services/create-labeler.ts";
import { listShownModels } from "../../services/list-models.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import type { Filled } from "../parts/fields.ts";
import { labelerForm } from "../parts/labeler-form.ts";
import { numberCell } from "../parts/number-cell.ts";
import { pager } from "../parts/pager.ts";
import { readCursor } from "../parts/read-cursor.ts";
import { numberOf, parseForm, readForm, textOf } from "../parts/read-form.ts";
import type { Sent } from "../parts/read-form.ts";
import { statusBadge } from "../parts/status.ts";
import { timeAgo } from "../parts/time.ts";
import { labelerPage } from "./labeler.ts";

const LISTED = 50;

/** The pages of labelers: which buckets are labelled, and by which runs. */
export function labelerPages(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/labelers", needs("read"), async (c) => {
    const before = readCursor(c, LabelerId);
    const { data, next } = await listLabelers(deps.redis, c.get("tenant"), { limit: LISTED, before });
    const labelers = data.map(({ labeler }) => labeler);
    return page(c, {
      title: "Labelers",
      actions: c.get("scopes").includes("admin")
        ? html`<a class="button primary" href="/console/labelers/new">New labeler</a>`
        : undefined,
      main: html`${labelers.length > 0 ? table(labelers) : EMPTY} ${pager(c.req.path, before, next)}`,
    });
  });

  const newPage = async (c: Context<ConsoleEnv>, filled: Filled) =>
    page(c, {
      title: "New labeler",
      status: filled.error === undefined ? 200 : ERROR_KINDS[filled.error.code].status,
      main: labelerForm(await listShownModels(deps), filled),
    });

  pages.get("/console/labelers/new", needs("admin"), (c) => newPage(c, { sent: {} }));

  pages.post("/console/labelers", needs("admin"), async (c) => {
    const sent = await readForm(c);
    try {
      const { id } = await createLabeler(deps, c.get("tenant"), toRequest(sent));
      return c.redirect(`/console/labelers/${id}`, 303);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return newPage(c, { sent, error });
    }
  });

  pages.route("/", labelerPage(deps, live));
  return pages;
}

const toRequest = (sent: Sent): CreateLabeler =>
  parseForm(CreateLabeler, {
    bucket: textOf(sent, "bucket") ?? "",
    prefix: textOf(sent, "prefix"),
    suffixes: textOf(sent, "suffixes")?.split(/[\s,]+/),
    model: textOf(sent, "model"),
    top_k: numberOf(sent, "top_k"),
    threshold: numberOf(sent, "threshold"),
    write_back: textOf(sent, "write_back"),
    on_error: textOf(sent, "on_error"),
    webhook: textOf(sent, "webhook"),
  });

const EMPTY = html`<p class="empty">
  There is none. A labeler labels the objects of a bucket: those that arrive, and those that are there.
</p>`;

/** The objects that a labeler is for, as a person writes it. */
const placeOf = ({ bucket, prefix }: Labeler) => `s3://${bucket}/${prefix}`;

const table = (labelers: readonly Labeler[]) =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Labelers, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col">Objects</th>
          <th scope="col">Status</th>
          <th scope="col">Model</th>
          <th scope="col" class="number">Labelled by events</th>
          <th scope="col">Created</th>
        </tr>
      </thead>
      <tbody>
        ${labelers.map(
          (labeler) =>
            html`<tr>
              <th scope="row">
                <a href="/console/labelers/${labeler.id}">${placeOf(labeler)}</a>
                <span class="soft">${labeler.suffixes?.join(" ")}</span>
              </th>
              <td>${statusBadge(labeler.status)}</td>
              <td>${labeler.model}</td>
              ${numberCell("Labelled by events", labeler.event_counts.labelled.toLocaleString("en"))}
              <td>${timeAgo(labeler.created_at)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
