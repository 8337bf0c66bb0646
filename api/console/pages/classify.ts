import { Hono } from "hono";
import { html } from "hono/html";
import type { ApiDeps } from "../../deps.ts";
import type { ConsoleEnv } from "../env.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";

/** The pages of classifying. */
export function classifyPages(_deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console", needs("classify"), (c) =>
    page(c, { title: "Classify", main: html`<p class="empty">Nothing here yet.</p>` }),
  );

  return pages;
}
