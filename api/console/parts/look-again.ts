import { html } from "hono/html";

/** What a page that is live has for whoever has no script: the page again. */
export const LOOK_AGAIN = html`<p class="unscripted"><a href="">Look again</a></p>`;
