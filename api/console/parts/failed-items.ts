import { html } from "hono/html";
import type { BatchResult } from "../../../shared/contracts/batch.ts";
import type { Html } from "../page.ts";
import { statusBadge } from "./status.ts";
import { thumbnail } from "./thumbnail.ts";

/** The items of a batch that have no labels, with the reason of each; `more` when there are others. */
export const failedItems = (items: readonly BatchResult[], more: boolean): Html =>
  html`<section aria-labelledby="undone">
    <h2 id="undone">Items without labels</h2>
    <div class="table">
      <table class="stack">
        <caption class="hidden">
          Items of the batch that failed or were canceled
        </caption>
        <thead>
          <tr>
            <th scope="col">Item</th>
            <th scope="col">Status</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        <tbody>
          ${items.map(
            ({ custom_id, status, error, input, id }) =>
              html`<tr>
                <th scope="row">
                  <span class="with-thumb">
                    ${input ? thumbnail(input, (input.type === "data" && input.upload_id) || id) : html`<span class="thumb"></span>`}
                    <span>${custom_id}</span>
                  </span>
                </th>
                <td>${statusBadge(status)}</td>
                <td>${error?.detail}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${more && html`<p class="soft">These are the first ${items.length}. All of them are in the results.</p>`}
  </section>`;
