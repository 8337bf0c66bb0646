import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { AppError } from "../../shared/errors.ts";
import type { ApiDeps } from "../deps.ts";
import { noStore } from "../middleware/no-store.ts";
import { rateLimit } from "../middleware/rate-limit.ts";
import type { ConsoleEnv } from "./env.ts";
import { errorPage } from "./error-page.ts";
import { openLive } from "./live.ts";
import { batchPages } from "./pages/batches.ts";
import { classificationPages } from "./pages/classifications.ts";
import { classifyPages } from "./pages/classify.ts";
import { imagePages } from "./pages/images.ts";
import { labelerPages } from "./pages/labelers.ts";
import { modelPages } from "./pages/models.ts";
import { newBatchPages } from "./pages/new-batch.ts";
import { queuePages } from "./pages/queues.ts";
import { signInPages } from "./pages/sign-in.ts";
import { webhookPages } from "./pages/webhooks.ts";
import { workerPages } from "./pages/workers.ts";
import { signedIn } from "./signed-in.ts";

/**
 * The console: pages for people over the same services as the API's JSON. A page is a `get` in a file of `pages` that
 * names the scope it `needs` and answers `page(c, …)`; what stands in the navigation is in `sections.ts`.
 */
export function consoleRoutes(deps: ApiDeps): Hono<ConsoleEnv> {
  const routes = new Hono<ConsoleEnv>();
  const live = openLive(deps);
  routes.onError(errorPage(deps.logger));

  routes.use("/console/*", noStore);
  routes.use(
    "/console/*",
    secureHeaders({
      // A page whose content comes from outside names a stricter one of its own.
      overwrite: false,
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: [NONCE],
        styleSrc: [NONCE],
        // Pictures are shown from where they were labelled from.
        imgSrc: ["'self'", "https:", "http:"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    }),
  );
  // A proxy may have taken TLS away, or another host's name: the address that links begin with is right as well.
  const isOwn = (origin: string, url: string) =>
    origin === new URL(url).origin || origin === new URL(deps.baseUrl()).origin;
  routes.use("/console/*", csrf({ origin: (origin, c) => isOwn(origin, c.req.url) }));
  const { MAX_BODY_BYTES: maxSize } = deps.config;
  routes.use("/console/*", bodyLimit({ maxSize, onError: () => tooLarge(maxSize) }));

  routes.route("/", signInPages(deps));
  routes.use("/console/*", signedIn(deps));
  routes.on("POST", "/console/*", rateLimit(deps));
  routes.route("/", classifyPages(deps));
  routes.route("/", classificationPages(deps, live));
  routes.route("/", imagePages(deps));
  routes.route("/", newBatchPages(deps));
  routes.route("/", batchPages(deps, live));
  routes.route("/", labelerPages(deps, live));
  routes.route("/", webhookPages(deps, live));
  routes.route("/", modelPages(deps));
  routes.route("/", queuePages(deps, live));
  routes.route("/", workerPages(deps, live));
  routes.all("/console/*", ({ req }) => {
    throw new AppError("not_found", `There is no page ${req.path}.`);
  });
  return routes;
}

function tooLarge(maxBytes: number): never {
  throw new AppError(
    "image_too_large",
    `What you sent has more than ${maxBytes} bytes in all; send fewer or smaller images at once.`,
  );
}
