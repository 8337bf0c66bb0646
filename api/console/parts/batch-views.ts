import { html } from "hono/html";
import type { Batch } from "../../../shared/contracts/batch.ts";
import { hasEnded } from "../../services/refuse-while-it-moves.ts";
import type { Html } from "../page.ts";
import { facts } from "./facts.ts";
import { statusBadge } from "./status.ts";
import { duration, timeAgo } from "./time.ts";

/** A row of the list of batches, marked while the batch moves. */
export const batchRow = (batch: Batch): Html =>
  html`<tr id="${batch.id}" ${!hasEnded(batch) && "data-moving"}>
    <th scope="row">
      <a href="/console/batches/${batch.id}"><code>${batch.id}</code></a>
    </th>
    <td>${statusBadge(batch.status)}</td>
    <td class="wide">${progressBar(batch)}</td>
    <td class="number">${batch.request_counts.total.toLocaleString("en")}</td>
    <td class="number">${failedOf(batch)}</td>
    <td>${batch.model}</td>
    <td>${timeAgo(batch.created_at)}</td>
  </tr>`;

/** How far a batch is, what became of its items so far, and what is known of it. */
export function batchProgress(batch: Batch): Html {
  const { request_counts: counts, eta_seconds: eta, error, retry_of: retryOf } = batch;
  return html`<section class="card" aria-labelledby="progress">
      <header>
        <h2 id="progress">${Math.floor(batch.progress * 100)} %</h2>
        ${statusBadge(batch.status)}
      </header>
      ${progressBar(batch)} ${error && html`<p class="fault">${error.detail}</p>`}
      <dl class="facts counts">
        ${count("Items", counts.total)} ${count("Succeeded", counts.succeeded)}
        ${count("Failed", counts.failed)} ${count("Canceled", counts.canceled)}
        ${eta !== null && !hasEnded(batch) && count("Left", duration(eta * 1_000))}
      </dl>
    </section>
    <section class="card" aria-label="About it">
      ${facts([
        ["Model", batch.model],
        ["Created", timeAgo(batch.created_at)],
        ["Ended", endOf(batch) && timeAgo(endOf(batch) ?? null)],
        ["Expires unless done by", batch.deadline ? timeAgo(batch.deadline) : undefined],
        ["Kept until", batch.expires_at ? timeAgo(batch.expires_at) : undefined],
        [
          "Retry of",
          retryOf ? html`<a href="/console/batches/${retryOf}"><code>${retryOf}</code></a>` : undefined,
        ],
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

const count = (name: string, value: number | string) =>
  html`<div>
    <dt>${name}</dt>
    <dd>${typeof value === "number" ? value.toLocaleString("en") : value}</dd>
  </div>`;

const endOf = ({ completed_at, failed_at, canceled_at, expired_at }: Batch) =>
  completed_at ?? failed_at ?? canceled_at ?? expired_at ?? undefined;
