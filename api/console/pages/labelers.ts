import { Hono } from "hono";
import { html } from "hono/html";
import type { ApiDeps } from "../../deps.ts";
import type { ConsoleEnv } from "../env.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";

/** The pages of labelers. */
export function labelerPages(_deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/labelers", needs("read"), (c) =>
    page(c, { title: "Labelers", main: html`<p class="empty">Nothing here yet.</p>` }),
  );

  return pages;
}
