import { Hono } from "hono";
import { html } from "hono/html";
import type { ApiDeps } from "../../deps.ts";
import type { ConsoleEnv } from "../env.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";

/** The pages of workers. */
export function workerPages(_deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/workers", needs("admin"), (c) =>
    page(c, { title: "Workers", main: html`<p class="empty">Nothing here yet.</p>` }),
  );

  return pages;
}
