import { html } from "hono/html";
import type { Html } from "../page.ts";
import { statusBadge } from "./status.ts";

/** A card like that of a classification, of an image that was not accepted, and why. */
export const refusedCard = (name: string, reason: string): Html =>
  html`<article class="card result">
    <span class="thumb"></span>
    <div>
      <h3>${name}</h3>
      ${statusBadge("refused")}
      <p class="fault">${reason}</p>
    </div>
  </article>`;
