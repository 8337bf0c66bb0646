import { html } from "hono/html";
import type { Worker } from "../../../shared/contracts/worker.ts";
import type { Html } from "../page.ts";
import { numberCell } from "./number-cell.ts";
import { statusBadge } from "./status.ts";
import { duration } from "./time.ts";

/** The `id` of the element that has all workers. */
export const WORKERS = "workers";

/** All workers, as an element that goes on moving. */
export const workerTable = (workers: readonly Worker[]): Html =>
  html`<div id="${WORKERS}" data-moving>${workers.length === 0 ? EMPTY : table(workers)}</div>`;

const EMPTY = html`<p class="empty">
  No worker is alive. What is sent is accepted, and waits for the first one.
</p>`;

const table = (workers: readonly Worker[]) =>
  html`<div class="table">
    <table class="stack">
      <caption class="hidden">
        Workers, by their host
      </caption>
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">Status</th>
          <th scope="col">Labels with</th>
          <th scope="col" class="number">Images/s</th>
          <th scope="col" class="number">Micro-batch</th>
          <th scope="col" class="number">In hand</th>
          <th scope="col" class="number">Labelled</th>
          <th scope="col" class="number">Up</th>
        </tr>
      </thead>
      <tbody>
        ${workers.map(row)}
      </tbody>
    </table>
  </div>`;

function row({ host, pid, version, roles, draining, labelling, started_at }: Worker): Html {
  return html`<tr>
    <th scope="row">
      ${host}
      <div class="soft">${roles.join(", ")} · process ${pid} · ${version}</div>
    </th>
    <td>${statusBadge(draining ? "stopping" : "running")}</td>
    <td>
      ${
        labelling === null
          ? html`<span class="soft">–</span>`
          : html`<a href="/console/models/${labelling.model}">${labelling.model}</a> on ${labelling.device}
              ${labelling.engine_instances > 1 && html`<span class="soft">× ${labelling.engine_instances}</span>`}`
      }
    </td>
    ${numberCell("Images/s", labelling?.images_per_second.toFixed(1))}
    ${numberCell("Micro-batch", labelling?.mean_micro_batch?.toFixed(1))}
    ${numberCell("In hand", labelling?.images_in_hand)}
    ${numberCell("Labelled", labelling?.images_labelled.toLocaleString("en"))}
    ${numberCell("Up", duration(Math.max(0, Date.now() - Date.parse(started_at))))}
  </tr>`;
}
