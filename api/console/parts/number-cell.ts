import { html } from "hono/html";
import type { Html } from "../page.ts";

/** A cell of a number, which says of what where the table has no head: on a phone. A dash when there is none. */
export const numberCell = (of: string, value: string | number | undefined, tone: "" | "fault" = ""): Html =>
  html`<td class="number ${tone}" data-label="${of}">${value ?? html`<span class="soft">–</span>`}</td>`;
