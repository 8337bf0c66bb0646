import { html } from "hono/html";
import type { Html } from "../page.ts";

/** The way to the next page of a list at `path`, which may have a query, and back to the first; nothing where all fits on one. */
export function pager(path: string, cursor: string | undefined, next: string | null): Html | undefined {
  if (cursor === undefined && next === null) return undefined;
  const more = path.includes("?") ? "&" : "?";
  return html`<nav class="pager" aria-label="Pages">
    ${cursor !== undefined && html`<a class="button" href="${path}">Newest</a>`}
    ${next !== null && html`<a class="button" rel="next" href="${path}${more}cursor=${encodeURIComponent(next)}">Older</a>`}
  </nav>`;
}
