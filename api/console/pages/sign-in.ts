import type { Context } from "hono";
import { Hono } from "hono";
import { html } from "hono/html";
import { ERROR_KINDS } from "../../../shared/contracts/error.ts";
import { AppError } from "../../../shared/errors.ts";
import { deleteConsoleSession } from "../../../shared/state/console-sessions.ts";
import { countRequest } from "../../../shared/state/rate-limit.ts";
import { apiKeyIdOf } from "../../api-key-text.ts";
import type { ApiDeps } from "../../deps.ts";
import type { ConsoleEnv } from "../env.ts";
import { mark, page } from "../page.ts";
import { openSession } from "../session.ts";
import { dropSessionCookie, giveSessionCookie, readSessionCookie } from "../session-cookie.ts";

/** How often a minute a key may be tried, right or wrong; all that do not look like a made key count as one. */
export const MOST_TRIES = 60;

/** Signing in by API key, and out; and the console's icon, which both show. */
export function signInPages(deps: ApiDeps): Hono<ConsoleEnv> {
  const pages = new Hono<ConsoleEnv>();

  pages.get("/console/sign-in", (c) => signInPage(c, { next: ownPath(c.req.query("next")) }));

  pages.post("/console/sign-in", async (c) => {
    const form = await c.req.parseBody();
    const key = textOf(form["key"]).trim();
    const next = ownPath(textOf(form["next"]));
    try {
      await countTry(deps, key);
      giveSessionCookie(c, deps, await openSession(deps, key));
      return c.redirect(next, 303);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return signInPage(c, { next, error });
    }
  });

  pages.post("/console/sign-out", async (c) => {
    const secret = readSessionCookie(c);
    if (secret !== undefined) await deleteConsoleSession(deps.redis, secret);
    dropSessionCookie(c);
    return c.redirect("/console/sign-in", 303);
  });

  pages.get("/console/icon.svg", async (c) =>
    c.body(String(await icon()), 200, {
      "content-type": "image/svg+xml",
      "cache-control": "public, max-age=86400",
    }),
  );

  return pages;
}

const textOf = (value: unknown) => (typeof value === "string" ? value : "");

/** Where to go on: a page of the console and nowhere else. */
const ownPath = (path: string | undefined) =>
  path !== undefined && /^\/console(?:[/?]|$)/.test(path) && !path.includes("\\") ? path : "/console";

async function countTry({ redis }: ApiDeps, key: string): Promise<void> {
  const { requests, endsInMs } = await countRequest(redis, `sign-in:${apiKeyIdOf(key) ?? "own"}`);
  if (requests > MOST_TRIES)
    throw new AppError(
      "rate_limited",
      `Too many tries to sign in. Try again in ${Math.ceil(endsInMs / 1_000)} s.`,
    );
}

function signInPage(c: Context<ConsoleEnv>, { next, error }: { next: string; error?: AppError }) {
  const status = error === undefined ? 200 : ERROR_KINDS[error.code].status;
  return page(c, {
    title: "Sign in",
    status,
    main: html`<form class="sign-in card" method="post" action="/console/sign-in">
      <input type="hidden" name="next" value="${next}" />
      <label for="key">API key</label>
      <input
        id="key"
        name="key"
        type="password"
        required
        autofocus
        autocomplete="current-password"
        spellcheck="false"
        aria-describedby="key-help"
        aria-invalid="${String(error !== undefined)}"
      />
      ${error && html`<p class="fault" role="alert">${error.message}</p>`}
      <p id="key-help" class="soft">
        What the console shows and does is what this key allows. <code>npm start</code> keeps one in
        <code>data/api-key</code>.
      </p>
      <button class="primary">Sign in</button>
    </form>`,
  });
}

const icon = () =>
  html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" color="#1d7a5f">${mark()}</svg>`;
