import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { except } from "hono/combine";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { AppError } from "../shared/errors.ts";
import { newId } from "../shared/new-id.ts";
import { consoleRoutes } from "./console/console.ts";
import type { ApiDeps } from "./deps.ts";
import type { ApiEnv } from "./env.ts";
import { auth } from "./middleware/auth.ts";
import { CREATING, idempotency } from "./middleware/idempotency.ts";
import { countRequests } from "./middleware/metrics.ts";
import { noStore } from "./middleware/no-store.ts";
import { problemJson } from "./middleware/problem-json.ts";
import { rateLimit } from "./middleware/rate-limit.ts";
import { requestLog } from "./middleware/request-log.ts";
import { requireScope } from "./middleware/require-scope.ts";
import { adminRoutes } from "./routes/admin.ts";
import { apiKeyRoutes } from "./routes/api-keys.ts";
import { batchRoutes } from "./routes/batches.ts";
import { classificationRoutes } from "./routes/classifications.ts";
import { docsRoutes } from "./routes/docs.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { labelerRunRoutes } from "./routes/labeler-runs.ts";
import { labelerRoutes } from "./routes/labelers.ts";
import { modelRoutes } from "./routes/models.ts";
import { s3EventRoutes } from "./routes/s3-events.ts";
import { scalerRoutes } from "./routes/scaler.ts";
import { uploadRoutes } from "./routes/uploads.ts";
import { webhookEndpointRoutes } from "./routes/webhook-endpoints.ts";
import { webhookKeyRoutes } from "./routes/webhook-keys.ts";
import { webhookMessageRoutes } from "./routes/webhook-messages.ts";
import { webhookSecretRoutes } from "./routes/webhook-secret.ts";
import { workerRoutes } from "./routes/workers.ts";

/** The API: every middleware and every route, in the order in which a request meets them. */
export function createApp(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { config, logger } = deps;
  const app = new OpenAPIHono<ApiEnv>();

  app.use(requestId({ generator: () => newId("req") }));
  if (deps.metrics !== undefined) app.use(countRequests(deps.metrics));
  app.use(requestLog(deps));
  const headers = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'unsafe-inline'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
  // The console has a policy of its own, which lets its forms and its script work.
  app.use(except("/console/*", headers));
  const answerProblem = problemJson(logger);
  app.onError(answerProblem);
  app.notFound((c) =>
    answerProblem(
      new AppError("not_found", `There is no ${c.req.method} ${c.req.path}; /docs lists what there is.`),
      c,
    ),
  );

  app.route("/", healthRoutes(deps));
  app.route("/", webhookKeyRoutes(deps));
  app.route("/", s3EventRoutes(deps));
  app.use("/v1/*", noStore);
  app.use("/v1/*", auth(deps));
  app.use("/v1/*", rateLimit(deps));
  app.use("/v1/*", requireScope);
  app.use(
    "/v1/*",
    bodyLimit({ maxSize: config.MAX_BODY_BYTES, onError: () => tooLarge(config.MAX_BODY_BYTES) }),
  );
  app.on("POST", CREATING, idempotency(deps));
  app.route("/", classificationRoutes(deps));
  app.route("/", batchRoutes(deps));
  app.route("/", eventRoutes(deps));
  app.route("/", uploadRoutes(deps));
  app.route("/", modelRoutes(deps));
  app.route("/", labelerRoutes(deps));
  app.route("/", labelerRunRoutes(deps));
  app.route("/", webhookSecretRoutes(deps));
  app.route("/", webhookEndpointRoutes(deps));
  app.route("/", webhookMessageRoutes(deps));
  app.route("/", apiKeyRoutes(deps));
  app.route("/", scalerRoutes(deps));
  app.route("/", adminRoutes(deps));
  app.route("/", workerRoutes(deps));
  app.route("/", docsRoutes(app));
  app.get("/", (c) => c.redirect("/console"));
  app.route("/", consoleRoutes(deps));
  return app;
}

function tooLarge(maxBytes: number): never {
  throw new AppError(
    "image_too_large",
    `The body has more than ${maxBytes} bytes; give large images by their URL.`,
  );
}
