import type { ErrorHandler } from "hono";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { ERROR_KINDS } from "../../shared/contracts/error.ts";
import { AppError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";
import { asAppError } from "../middleware/problem-json.ts";
import type { ConsoleEnv } from "./env.ts";
import { page } from "./page.ts";

/**
 * Answers whatever was thrown as a page that says what was wrong and leads back, or in plain words where the script asks
 * for a part of a page. What we did not expect is logged and shows nothing of its inside.
 */
export const errorPage =
  (logger: Logger): ErrorHandler<ConsoleEnv> =>
  (thrown, c) => {
    const error = isForeign(thrown) ? FOREIGN : asAppError(thrown);
    const { status, title } = ERROR_KINDS[error.code];
    if (status >= 500 && !(thrown instanceof AppError))
      logger.error({ request_id: c.get("requestId"), err: thrown }, "a page of the console failed");
    if (c.req.header("x-part") !== undefined) return c.text(error.message, status);
    return page(c, {
      title: error === FOREIGN ? "This form is not from here" : title,
      status,
      main: html`<p class="lead">${error.message}</p>
        <p><a href="/console">Back to the console</a></p>
        <p class="soft">Request <code>${c.get("requestId")}</code></p>`,
    });
  };

/** What `csrf` throws. */
const isForeign = (thrown: Error) => thrown instanceof HTTPException && thrown.status === 403;

const FOREIGN = new AppError(
  "forbidden",
  "It came from another site, and nothing was done. If you sent it from the console yourself, PUBLIC_URL has to be the address that you see.",
);
