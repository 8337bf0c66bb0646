import { html } from "hono/html";
import type { Classification } from "../../../shared/contracts/classification.ts";
import type { Html } from "../page.ts";
import { classificationDetail } from "./classification-detail.ts";
import { percent, scores } from "./scores.ts";
import { statusBadge } from "./status.ts";
import { imageName, thumbnail } from "./thumbnail.ts";
import { timeAgo } from "./time.ts";

/** The name in `metadata` under which the console keeps what a file was called. */
export const FILE = "file";

/** How a classification looks in each place that shows one: an element of its id, marked while it moves, whole by itself. */
export const CLASSIFICATION_VIEWS = {
  /** With its labels, among others that were sent together. */
  card: (each: Classification): Html =>
    html`<article class="card result" id="${each.id}" ${moving(each)}>
      ${thumbnail(each.input, each.id)}
      <div>
        <h3><a href="/console/classifications/${each.id}">${nameOf(each)}</a></h3>
        ${statusBadge(each.status)} ${outcome(each)}
      </div>
    </article>`,

  /** A row of the list. */
  row: (each: Classification): Html =>
    html`<tr id="${each.id}" ${moving(each)}>
      <th scope="row">
        <a class="with-thumb" href="/console/classifications/${each.id}">
          ${thumbnail(each.input, each.id)} <span>${nameOf(each)}</span>
        </a>
      </th>
      <td>${bestOf(each)}</td>
      <td>${statusBadge(each.status)}</td>
      <td>${each.model}</td>
      <td>${timeAgo(each.created_at)}</td>
    </tr>`,

  /** All that is known of it. */
  detail: classificationDetail,
} as const;

/** A way to look at a classification. */
export type ClassificationView = keyof typeof CLASSIFICATION_VIEWS;

const moving = ({ completed_at }: Classification) => completed_at === null && html`data-moving`;

const nameOf = ({ input, metadata }: Classification) => imageName(input, metadata[FILE]);

function bestOf({ predictions, error }: Classification): Html {
  if (error !== null) return html`<span class="soft">${error.title}</span>`;
  const best = predictions?.[0];
  return best === undefined
    ? html`<span class="soft">–</span>`
    : html`${best.label} <span class="soft">${percent(best.score)}</span>`;
}

function outcome({ status, predictions, error }: Classification): Html {
  if (error !== null) return html`<p class="fault">${error.detail}</p>`;
  if (predictions !== null) return scores(predictions);
  return html`<p class="soft">
    ${status === "queued" ? "Waits for a worker." : "A worker has it in hand."}
  </p>`;
}
