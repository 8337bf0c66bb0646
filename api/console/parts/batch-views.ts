import { html } from "hono/html";
import type { Batch } from "../../../shared/contracts/batch.ts";
import { hasEnded } from "../../services/refuse-while-it-moves.ts";
import type { Html } from "../page.ts";
import { facts } from "./facts.ts";
import { statusBadge } from "./status.ts";
import { duration, timeAgo, timeOrNothing } from "./time.ts";

/** A row of the list of batches, marked while the batch moves. */
export const batchRow = (batch: Batch): Html =>
  html`<tr id="${batch.id}" ${!hasEnded(batch) && "data-moving"}>
    <th scope="row">
      <a href="/console/batches/${batch.id}"><code>${batch.id}</code></a>
    </th>
    <td>${statusBadge(batch.status)}</td>
    <td class="wide">${progressBar(batch)}</td>
    <td class="number" data-label="Items">${batch.request_counts.total.toLocaleString("en")}</td>
    <td class="number" data-label="Failed">${failedOf(batch)}</td>
    <td>${batch.model}</td>
    <td>${timeAgo(batch.created_at)}</td>
  </tr>`;

/** How far a batch is, and what became of its items so far. */
export function batchProgress(batch: Batch): Html {
  const { request_counts: counts, eta_seconds: eta, error } = batch;
  return html`<section class="card" aria-labelledby="progress">
    <header>
      <h2 id="progress">${Math.floor(batch.progress * 100)} %</h2>
      ${statusBadge(batch.status)}
    </header>
    ${progressBar(batch)} ${error && html`<p class="fault">${error.detail}</p>`}
    <div class="counts">
      ${facts([
        ["Items", counts.total.toLocaleString("en")],
        ["Succeeded", counts.succeeded.toLocaleString("en")],
        ["Failed", counts.failed.toLocaleString("en")],
        ["Canceled", counts.canceled.toLocaleString("en")],
        ["Left", eta === null || hasEnded(batch) ? undefined : duration(eta * 1_000)],
      ])}
    </div>
  </section>`;
}

/** What is known of a batch besides. */
export function batchFacts(batch: Batch): Html {
  const { retry_of: retryOf, completed_at, failed_at, canceled_at, expired_at } = batch;
  return html`<section class="card" aria-label="About it">
    ${facts([
      ["Model", batch.model],
      ["Created", timeAgo(batch.created_at)],
      ["Ended", timeOrNothing(completed_at ?? failed_at ?? canceled_at ?? expired_at)],
      ["Expires unless done by", timeOrNothing(batch.deadline)],
      ["Kept until", timeOrNothing(batch.expires_at)],
      ["Retry of", retryOf === null ? undefined : html`<a href="/console/batches/${retryOf}">${retryOf}</a>`],
      ...Object.entries(batch.metadata),
    ])}
  </section>`;
}

const progressBar = ({ progress, id }: Batch): Html =>
  html`<progress max="1" value="${progress}" aria-label="Progress of ${id}"></progress>`;

const failedOf = ({ request_counts: { failed } }: Batch) =>
  failed === 0
    ? html`<span class="soft">–</span>`
    : html`<span class="fault">${failed.toLocaleString("en")}</span>`;
