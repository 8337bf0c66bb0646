import { html } from "hono/html";
import type { Html } from "../page.ts";

/** What is known of a thing: names and values, without those that are undefined. */
export const facts = (rows: readonly (readonly [name: string, value: unknown])[]): Html =>
  html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        value !== undefined &&
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
