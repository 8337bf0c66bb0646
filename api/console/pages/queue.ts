import type { Context } from "hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { z } from "zod";
import { JobId, QueueName } from "../../../shared/contracts/queue.ts";
import type { DeadLetter, DeadLetterSelection, WorkQueue } from "../../../shared/contracts/queue.ts";
import type { ApiDeps } from "../../deps.ts";
import { inspectDeadLetters } from "../../services/inspect-dead-letters.ts";
import { inspectQueue } from "../../services/inspect-queues.ts";
import { pauseQueue } from "../../services/pause-queue.ts";
import { redriveDeadLetters } from "../../services/redrive-dead-letters.ts";
import { resumeQueue } from "../../services/resume-queue.ts";
import type { ConsoleEnv } from "../env.ts";
import { page } from "../page.ts";
import type { Html } from "../page.ts";
import { facts } from "../parts/facts.ts";
import { numberCell } from "../parts/number-cell.ts";
import { pager } from "../parts/pager.ts";
import { postButton } from "../parts/post-button.ts";
import { readCursor } from "../parts/read-cursor.ts";
import { parseForm, readForm, textOf } from "../parts/read-form.ts";
import { readPathId } from "../parts/read-path-id.ts";
import { statusBadge } from "../parts/status.ts";
import { duration, timeAgo } from "../parts/time.ts";

const LISTED = 25;
/** The most characters of a reason that are shown at once. */
const SHORT = 120;
const DeadLetterCursor = z.string().regex(/^\d{1,15}-[A-Za-z0-9_-]{1,200}$/);
const RedriveForm = z.object({ id: JobId.optional() });
const count = z.coerce.number().int().min(0);

const nameOf = (c: Context) => readPathId(c, QueueName, "queue");
const back = (c: Context, query = "") => c.redirect(`/console/queues/${nameOf(c)}${query}`, 303);

/** The page of one queue: what it holds, its dead letters, and what an operator does with both. */
export function queuePage(deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/queues/:queue", async (c) => {
    const queue = await inspectQueue(deps, nameOf(c));
    const before = readCursor(c, DeadLetterCursor);
    const { data, next } = await inspectDeadLetters(deps, queue.id, { limit: LISTED, before });
    const redriven = count.safeParse(c.req.query("redriven"));
    return page(c, {
      title: queue.id,
      actions: actions(queue),
      main: html`${redriven.success && html`<p class="notice" role="status">${told(redriven.data, queue)}</p>`}
        ${queue.paused && PAUSED} ${about(queue)}
        <h2>Dead letters</h2>
        ${data.length === 0 ? NO_DEAD : deadTable(queue, data)} ${pager(c.req.path, before, next)}`,
    });
  });

  pages.post("/console/queues/:queue/pause", async (c) => {
    await pauseQueue(deps, nameOf(c));
    return back(c);
  });

  pages.post("/console/queues/:queue/resume", async (c) => {
    await resumeQueue(deps, nameOf(c));
    return back(c);
  });

  pages.post("/console/queues/:queue/redrive", async (c) => {
    const { id } = parseForm(RedriveForm, { id: textOf(await readForm(c), "id") });
    const selection: DeadLetterSelection = id === undefined ? { all: true } : { ids: [id] };
    const { ids } = await redriveDeadLetters(deps, nameOf(c), selection);
    return back(c, `?redriven=${ids.length}`);
  });

  return pages;
}

function told(redriven: number, { dead }: WorkQueue): string {
  const jobs = redriven === 1 ? "1 job waits" : `${redriven} jobs wait`;
  return `${jobs} again, as if never tried. ${dead === 0 ? "No" : dead} dead ${dead === 1 ? "letter is" : "letters are"} left.`;
}

const actions = ({ id, paused, dead }: WorkQueue): Html =>
  html`<div class="actions">
    ${dead > 0 && postButton(`/console/queues/${id}/redrive`, "Redrive all")}
    ${
      paused
        ? postButton(`/console/queues/${id}/resume`, "Resume", "primary")
        : postButton(`/console/queues/${id}/pause`, "Pause")
    }
  </div>`;

const PAUSED = html`<p class="notice warn">
  It is paused: no worker takes its jobs until it is resumed, whatever is restarted.
</p>`;

const about = ({
  paused,
  waiting,
  due,
  put_off,
  active,
  dead,
  oldest_age_seconds: oldest,
}: WorkQueue): Html =>
  html`<section class="card" aria-label="What it holds">
    ${facts([
      ["Status", statusBadge(paused ? "paused" : "running")],
      ["Waiting", waiting],
      ["Due again", due],
      ["Put off until later", put_off],
      ["In hand", active],
      ["Dead letters", dead],
      ["The oldest has waited", oldest === 0 ? undefined : duration(oldest * 1_000)],
    ])}
  </section>`;

const NO_DEAD = html`<p class="empty">There is none: nothing was given up.</p>`;

/** Why a job died: its first words, and all of it where that is longer. */
const why = (reason: string): Html =>
  reason.length <= SHORT
    ? html`${reason}`
    : html`<details>
        <summary>${reason.slice(0, SHORT)}…</summary>
        <pre>${reason}</pre>
      </details>`;

const deadTable = (queue: WorkQueue, letters: readonly DeadLetter[]): Html =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Dead letters, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">Why</th>
          <th scope="col" class="number">Attempts</th>
          <th scope="col">Died</th>
          <th scope="col"><span class="hidden">Actions</span></th>
        </tr>
      </thead>
      <tbody>
        ${letters.map(
          ({ id, kind, reason, attempts, died_at }) =>
            html`<tr>
              <th scope="row"><code>${id}</code> <span class="soft">${kind}</span></th>
              <td class="wide">${why(reason)}</td>
              ${numberCell("Attempts", attempts)}
              <td>${timeAgo(died_at)}</td>
              <td>
                <form method="post" action="/console/queues/${queue.id}/redrive">
                  <input type="hidden" name="id" value="${id}" /><button>Redrive</button>
                </form>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
