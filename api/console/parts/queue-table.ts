import { html } from "hono/html";
import type { WorkQueue } from "../../../shared/contracts/queue.ts";
import type { Html } from "../page.ts";
import { numberCell } from "./number-cell.ts";
import { statusBadge } from "./status.ts";
import { duration } from "./time.ts";

/** A table of queues, which are those of `whose`. */
export const queueTable = (queues: readonly WorkQueue[], whose: string): Html =>
  html`<div class="table">
    <table class="stack queues">
      <caption class="hidden">
        Queues of ${whose}
      </caption>
      <thead>
        <tr>
          <th scope="col">Queue</th>
          <th scope="col">Status</th>
          <th scope="col" class="number">Waiting</th>
          <th scope="col" class="number">Due</th>
          <th scope="col" class="number">Later</th>
          <th scope="col" class="number">In hand</th>
          <th scope="col" class="number">Dead</th>
          <th scope="col" class="number">Oldest</th>
        </tr>
      </thead>
      <tbody>
        ${queues.map(queueRow)}
      </tbody>
    </table>
  </div>`;

/** A queue as a row, an element of its name that goes on moving. */
export function queueRow({
  id,
  paused,
  waiting,
  due,
  put_off,
  active,
  dead,
  oldest_age_seconds,
}: WorkQueue): Html {
  return html`<tr id="${id}" data-moving>
    <th scope="row"><a href="/console/queues/${id}">${id.split(".").at(-1)}</a></th>
    <td>${statusBadge(paused ? "paused" : "running")}</td>
    ${numberCell("Waiting", waiting)} ${numberCell("Due", due)} ${numberCell("Later", put_off)}
    ${numberCell("In hand", active)} ${numberCell("Dead", dead, dead > 0 ? "fault" : "")}
    ${numberCell("Oldest", oldest_age_seconds === 0 ? undefined : duration(oldest_age_seconds * 1_000))}
  </tr>`;
}
