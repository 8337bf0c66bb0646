import type { Context } from "hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { LabelerId, RunId } from "../../../shared/contracts/ids.ts";
import { CreateRun } from "../../../shared/contracts/labeler.ts";
import type { Labeler } from "../../../shared/contracts/labeler.ts";
import type { ApiDeps } from "../../deps.ts";
import { cancelRun } from "../../services/cancel-run.ts";
import { createRun } from "../../services/create-run.ts";
import { deleteLabeler } from "../../services/delete-labeler.ts";
import { getLabeler } from "../../services/get-labeler.ts";
import { getRun, getRunResults, listRuns } from "../../services/get-run.ts";
import { pauseLabeler } from "../../services/pause-labeler.ts";
import { resumeLabeler } from "../../services/resume-labeler.ts";
import type { ConsoleEnv } from "../env.ts";
import type { AnswerLive } from "../live.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { confirmPage } from "../parts/confirm-page.ts";
import { facts } from "../parts/facts.ts";
import { choiceField, textField } from "../parts/fields.ts";
import { pager } from "../parts/pager.ts";
import { postButton } from "../parts/post-button.ts";
import { readCursor } from "../parts/read-cursor.ts";
import { numberOf, parseForm, readForm, textOf } from "../parts/read-form.ts";
import { readPathId } from "../parts/read-path-id.ts";
import { isMoving, runRow } from "../parts/run-row.ts";
import { statusBadge } from "../parts/status.ts";
import { timeAgo } from "../parts/time.ts";

const LISTED = 25;

const idOf = (c: Context) => readPathId(c, LabelerId);
const back = (c: Context) => c.redirect(`/console/labelers/${idOf(c)}`, 303);
const isAdmin = (c: Context<ConsoleEnv>) => c.get("scopes").includes("admin");

/** The page of one labeler, with its runs as they go on, and all that is done to it. */
export function labelerPage(deps: ApiDeps, live: AnswerLive): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();
  const find = (c: Context<ConsoleEnv>) => getLabeler(deps, c.get("tenant"), idOf(c));

  pages.get("/console/labelers/:id", needs("read"), async (c) => {
    const labeler = await find(c);
    const before = readCursor(c, RunId);
    const { data, next } = await listRuns(deps, c.get("tenant"), labeler.id, { limit: LISTED, before });
    const rows = data.map((run) => runRow(run, isAdmin(c)));
    return page(c, {
      title: `s3://${labeler.bucket}/${labeler.prefix}`,
      actions: isAdmin(c) ? actions(labeler) : undefined,
      main: html`<p class="under"><code>${labeler.id}</code></p>
        ${labeler.status === "paused" && pausedNotice(labeler)} ${about(labeler)} ${events(labeler)}
        <h2>Runs</h2>
        ${isAdmin(c) && runForm(labeler)} ${rows.length > 0 ? runTable(labeler, rows) : NO_RUN}
        ${pager(c.req.path, before, next)}`,
    });
  });

  pages.get("/console/labelers/:id/runs/live", needs("read"), (c) =>
    live(c, async (id) => {
      const run = await getRun(deps, c.get("tenant"), idOf(c), id);
      return { id, element: runRow(run, isAdmin(c)), moves: isMoving(run) };
    }),
  );

  pages.get("/console/labelers/:id/runs/:run_id/results", needs("read"), async (c) => {
    const run = readPathId(c, RunId, "run_id");
    const lines = await getRunResults(deps, c.get("tenant"), idOf(c), run);
    return c.body(lines, 200, {
      "content-type": "application/x-ndjson",
      "content-disposition": `attachment; filename="${run}.jsonl"`,
    });
  });

  pages.post("/console/labelers/:id/runs", needs("admin"), async (c) => {
    const sent = await readForm(c);
    const request = parseForm(CreateRun, {
      mode: textOf(sent, "mode"),
      images_per_second: numberOf(sent, "images_per_second"),
    });
    await createRun(deps, c.get("tenant"), idOf(c), request, c.get("traceparent"));
    return back(c);
  });

  pages.post("/console/labelers/:id/runs/:run_id/cancel", needs("admin"), async (c) => {
    await cancelRun(deps, c.get("tenant"), idOf(c), readPathId(c, RunId, "run_id"));
    return back(c);
  });

  pages.post("/console/labelers/:id/pause", needs("admin"), async (c) => {
    await pauseLabeler(deps, c.get("tenant"), idOf(c));
    return back(c);
  });

  pages.post("/console/labelers/:id/resume", needs("admin"), async (c) => {
    await resumeLabeler(deps, c.get("tenant"), idOf(c), c.get("traceparent"));
    return back(c);
  });

  pages.get("/console/labelers/:id/delete", needs("admin"), async (c) => {
    const { id, bucket, prefix } = await find(c);
    return confirmPage(c, {
      title: "Delete labeler",
      text: `Nothing more of s3://${bucket}/${prefix} is labelled, and its runs are canceled. Labels that were written stay where they are.`,
      verb: "Delete labeler",
      back: `/console/labelers/${id}`,
    });
  });

  pages.post("/console/labelers/:id/delete", needs("admin"), async (c) => {
    await deleteLabeler(deps, c.get("tenant"), idOf(c));
    return c.redirect("/console/labelers", 303);
  });

  return pages;
}

const actions = ({ id, status }: Labeler): Html =>
  html`<div class="actions">
    <a class="button danger" href="/console/labelers/${id}/delete">Delete…</a>
    ${
      status === "active"
        ? postButton(`/console/labelers/${id}/pause`, "Pause")
        : postButton(`/console/labelers/${id}/resume`, "Resume", "primary")
    }
  </div>`;

const pausedNotice = ({ event_counts: { missed } }: Labeler): Html =>
  html`<p class="notice warn">
    It is paused: its runs wait, and what events tell of is missed, ${missed.toLocaleString("en")} so far.
    Resuming it starts a run that finds what was missed.
  </p>`;

const about = ({ model, suffixes, top_k, threshold, write_back, status, created_at }: Labeler): Html =>
  html`<section class="card" aria-label="About it">
    ${facts([
      ["Status", statusBadge(status)],
      ["Model", model],
      ["Endings", suffixes?.join(" ") ?? "any"],
      ["Labels at most", top_k],
      ["Least score", threshold],
      ["Writes back", write_back === "none" ? "nothing" : write_back],
      ["Created", timeAgo(created_at)],
    ])}
  </section>`;

const events = ({ event_counts: { labelled, failed, skipped, missed } }: Labeler): Html =>
  html`<section aria-labelledby="events">
    <h2 id="events">Told by events</h2>
    <div class="card">
      ${facts([
        ["Labelled", labelled.toLocaleString("en")],
        ["Failed", failed.toLocaleString("en")],
        ["Skipped", skipped.toLocaleString("en")],
        ["Missed while paused", missed.toLocaleString("en")],
      ])}
    </div>
  </section>`;

const runForm = ({ id }: Labeler): Html =>
  html`<form class="card run-form" method="post" action="/console/labelers/${id}/runs">
    <div class="fields">
      ${choiceField(
        { sent: {} },
        {
          name: "mode",
          label: "Label what is there",
          options: [
            ["backfill", "and has no labels yet"],
            ["relabel", "and was labelled by another version"],
          ],
        },
      )}
      ${textField(
        { sent: {} },
        {
          name: "images_per_second",
          label: "Images a second",
          isOptional: true,
          type: "number",
          placeholder: "as fast as it goes",
        },
      )}
      <div class="actions"><button class="primary">Start a run</button></div>
    </div>
  </form>`;

const NO_RUN = html`<p class="empty">No run was started yet.</p>`;

const runTable = ({ id }: Labeler, rows: Html[]): Html =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Runs, the latest first
      </caption>
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col">Objects</th>
          <th scope="col">Started</th>
          <th scope="col"><span class="hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody data-live="/console/labelers/${id}/runs/live">
        ${rows}
      </tbody>
    </table>
  </div>`;
