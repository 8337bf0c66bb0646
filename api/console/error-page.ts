import type { ErrorHandler } from "hono";
import { html } from "hono/html";
import { HTTPException } from "hono/http-exception";
import { ERROR_KINDS } from "../../shared/contracts/error.ts";
import { AppError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";
import { asAppError } from "../middleware/problem-json.ts";
import type { ConsoleEnv } from "./env.ts";
import { page } from "./page.ts";

/** Answers whatever was thrown as a page that says what was wrong and leads back. What we did not expect is logged and shows nothing of its inside. */
export const errorPage =
  (logger: Logger): ErrorHandler<ConsoleEnv> =>
  (error, c) => {
    const { code, message } = isForeign(error) ? FOREIGN : asAppError(error);
    const { status, title } = ERROR_KINDS[code];
    if (status >= 500 && !(error instanceof AppError))
      logger.error({ request_id: c.get("requestId"), err: error }, "a page of the console failed");
    return page(c, {
      title,
      status,
      main: html`<p class="lead">${message}</p>
        <p><a href="/console">Back to the console</a></p>
        <p class="soft">Request <code>${c.get("requestId")}</code></p>`,
    });
  };

/** What `csrf` throws. */
const isForeign = (error: Error) => error instanceof HTTPException && error.status === 403;

const FOREIGN = new AppError(
  "forbidden",
  "This form came from another site, and nothing was done. If you sent it from the console yourself, PUBLIC_URL has to be the address that you see.",
);
