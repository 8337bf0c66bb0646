import { html } from "hono/html";
import type { Prediction } from "../../../shared/contracts/prediction.ts";
import type { Html } from "../page.ts";

/** The labels of an image, the best first, each with a bar of its score. */
export const scores = (predictions: readonly Prediction[]): Html =>
  predictions.length === 0
    ? html`<p class="soft">No label has a score above the threshold.</p>`
    : html`<ol class="scores">
        ${predictions.map(
          ({ label, score }) =>
            html`<li>
              <span class="label">${label}</span>
              <span class="number">${percent(score)}</span>
              <meter min="0" max="1" value="${score}" aria-label="${label}"></meter>
            </li>`,
        )}
      </ol>`;

/** A score from 0 to 1 in percent, to a tenth. */
export const percent = (score: number): string => `${(score * 100).toFixed(1)} %`;
