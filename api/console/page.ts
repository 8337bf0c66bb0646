import type { Context } from "hono";
import { html, raw } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ConsoleEnv } from "./env.ts";
import { CONSOLE_SCRIPT } from "./script.ts";
import { sectionOf, sectionsFor } from "./sections.ts";
import type { Visitor } from "./session.ts";
import { CONSOLE_STYLE } from "./style.ts";

/** A piece of a page: what `html` makes, in which all text is escaped. */
export type Html = ReturnType<typeof html>;

/** What is particular to a page. */
export interface Page {
  /** The page's one `h1`, and its name in the browser. */
  title: string;
  /** What stands beside the title, such as buttons. */
  actions?: Html | undefined;
  /** All that comes below the title. */
  main: unknown;
  status?: ContentfulStatusCode;
}

/** Answers a page of the console: `main` inside what is on all of them. */
export async function page(
  c: Context<ConsoleEnv>,
  { title, actions, main, status = 200 }: Page,
): Promise<Response> {
  const visitor = c.get("visitor");
  const nonce = c.get("secureHeadersNonce");
  const document = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Tresline</title>
        <link rel="icon" href="/console/icon.svg" type="image/svg+xml" />
        <style nonce="${nonce}">
          ${raw(CONSOLE_STYLE)}
        </style>
        <script type="module" nonce="${nonce}">
          ${raw(CONSOLE_SCRIPT)};
        </script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/console">${mark()} Tresline</a>
          ${visitor && account(visitor)}
        </header>
        ${visitor && navigation(c.req.path, visitor)}
        <main id="main" tabindex="-1">
          <div class="title">
            <h1>${title}</h1>
            ${actions}
          </div>
          ${main}
        </main>
      </body>
    </html>`;
  return c.html(document, status);
}

/** The sign of Tresline: two firs. */
export const mark = (): Html =>
  html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <path fill="currentColor" d="M9 2 3 11h3l-4 7h6v4h2v-4h6l-4-7h3z" />
    <path fill="currentColor" opacity=".55" d="m17 8-2.2 3.4L18.4 18H17v4h1.6v-4H23l-3.2-5.4h2.4z" />
  </svg>`;

const account = ({ name, tenant }: Visitor): Html =>
  html`<div class="account">
    <a href="/docs">API reference</a>
    <span class="who" title="${name} of ${tenant}"><b>${tenant}</b> <span>${name}</span></span>
    <form method="post" action="/console/sign-out"><button class="quiet">Sign out</button></form>
  </div>`;

function navigation(path: string, visitor: Visitor): Html {
  const current = sectionOf(path);
  return html`<nav class="sections" aria-label="Console">
    ${sectionsFor(visitor).map(
      (section) =>
        html`<a href="${section.path}" ${section === current && raw('aria-current="page"')}
          >${section.title}</a
        >`,
    )}
  </nav>`;
}
