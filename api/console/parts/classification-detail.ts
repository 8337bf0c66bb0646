import { html } from "hono/html";
import type { Classification } from "../../../shared/contracts/classification.ts";
import type { Html } from "../page.ts";
import { facts } from "./facts.ts";
import { scores } from "./scores.ts";
import { statusBadge } from "./status.ts";
import { imagePlace, thumbnail } from "./thumbnail.ts";
import { duration, timeAgo, timeOrNothing } from "./time.ts";
import { timings } from "./timings.ts";

/** All that is known of a classification, as an element of its id. */
export function classificationDetail(each: Classification): Html {
  const { id, status, input, predictions, error, metrics, metadata, completed_at } = each;
  return html`<div id="${id}" class="detail" ${completed_at === null && html`data-moving`}>
    <div class="picture">${thumbnail(input, id)}</div>
    <div>
      <section class="card" aria-labelledby="labels">
        <header>
          <h2 id="labels">Labels</h2>
          ${statusBadge(status)}
        </header>
        ${error && html`<p class="fault">${error.detail}</p>`} ${predictions && scores(predictions)}
        ${completed_at === null && html`<p class="soft">They stand here as soon as there are any.</p>`}
      </section>
      ${
        metrics.total_ms !== undefined &&
        html`<section class="card" aria-labelledby="time">
          <header>
            <h2 id="time">Where the time went</h2>
            <span class="number">${duration(metrics.total_ms)}</span>
          </header>
          ${timings(metrics)}
        </section>`
      }
      <section class="card" aria-label="About it">
        ${facts([
          ["Image", imagePlace(input)],
          ["Model", each.model],
          ["Digest", each.model_digest === null ? undefined : html`<code>${each.model_digest}</code>`],
          ["Device", each.device ?? undefined],
          ["Images in its micro-batch", metrics.batch_size],
          ["Created", timeAgo(each.created_at)],
          ["Ended", timeOrNothing(completed_at)],
          ["Aborted unless run by", timeOrNothing(each.deadline)],
          ["Kept until", timeOrNothing(each.expires_at)],
          ...Object.entries(metadata),
        ])}
      </section>
    </div>
  </div>`;
}
