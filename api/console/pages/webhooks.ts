import { Hono } from "hono";
import { html } from "hono/html";
import type { ApiDeps } from "../../deps.ts";
import type { ConsoleEnv } from "../env.ts";
import { needs } from "../needs.ts";
import { page } from "../page.ts";

/** The pages of webhooks. */
export function webhookPages(_deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/webhooks", needs("admin"), (c) =>
    page(c, { title: "Webhooks", main: html`<p class="empty">Nothing here yet.</p>` }),
  );

  return pages;
}
