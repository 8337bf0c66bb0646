import { html } from "hono/html";
import type { Html } from "../page.ts";

/** A button that does something: a form of its own, so that it needs no script. `kind` is a class of `button`. */
export const postButton = (action: string, label: string, kind: "" | "primary" | "danger" = ""): Html =>
  html`<form method="post" action="${action}"><button class="${kind}">${label}</button></form>`;
