import type { Context } from "hono";
import { html } from "hono/html";
import type { ConsoleEnv } from "../env.ts";
import { page } from "../page.ts";

/** Asks before something is done that cannot be undone: a form that posts to the page's own address. */
export const confirmPage = (
  c: Context<ConsoleEnv>,
  { title, text, verb, back }: { title: string; text: unknown; verb: string; back: string },
): Promise<Response> =>
  page(c, {
    title,
    main: html`<p class="lead">${text}</p>
      <div class="actions">
        <form method="post" action="${c.req.path}"><button class="danger">${verb}</button></form>
        <a class="button" href="${back}">Back</a>
      </div>`,
  });
