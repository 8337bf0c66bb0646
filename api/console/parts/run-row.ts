import { html } from "hono/html";
import type { Run } from "../../../shared/contracts/labeler.ts";
import type { Html } from "../page.ts";
import { postButton } from "./post-button.ts";
import { statusBadge } from "./status.ts";
import { duration, timeAgo } from "./time.ts";

/** Whether a run goes on. */
export const isMoving = ({ completed_at, failed_at, canceled_at }: Run): boolean =>
  completed_at === null && failed_at === null && canceled_at === null;

const number = (count: number) => count.toLocaleString("en");

/** A run as a row of an element of its id, marked while it moves. `mayCancel`: with a button for that. */
export function runRow(run: Run, mayCancel: boolean): Html {
  const { id, labeler_id, mode, status, created_at } = run;
  const isCancelable = mayCancel && isMoving(run) && status !== "canceling";
  return html`<tr id="${id}" ${isMoving(run) && html`data-moving`}>
    <th scope="row">
      ${mode}
      <div><code class="soft">${id}</code></div>
    </th>
    <td>${statusBadge(status)}</td>
    <td class="wide">${isMoving(run) ? progress(run) : outcome(run)}</td>
    <td>${timeAgo(created_at)}</td>
    <td>
      <div class="actions">
        ${isCancelable && postButton(`/console/labelers/${labeler_id}/runs/${id}/cancel`, "Cancel", "danger")}
        ${
          run.completed_at !== null &&
          html`<a class="button" href="/console/labelers/${labeler_id}/runs/${id}/results" download
            >Results</a
          >`
        }
      </div>
    </td>
  </tr>`;
}

function progress({ progress: part, request_counts: { total }, eta_seconds, id }: Run): Html {
  const left = eta_seconds === null ? "" : `, ${duration(eta_seconds * 1_000)} left`;
  return html`<progress max="1" value="${part}" aria-label="Progress of ${id}"></progress>
    <span class="soft">${Math.floor(part * 100)} % of ${number(total)} known so far${left}</span>`;
}

function outcome({ request_counts, error, report }: Run): Html {
  const { total, ...ways } = request_counts;
  const told = Object.entries(ways).flatMap(([way, count]) => (count > 0 ? [`${number(count)} ${way}`] : []));
  return html`${number(total)}
  ${total === 1 ? "object" : "objects"}${told.length > 0 && html`<span class="soft">: ${told.join(", ")}</span>`}
  ${report !== null && html`<div class="soft">${report.changed} best labels changed</div>`}
  ${error !== null && html`<div class="fault">${error.detail}</div>`}`;
}
