import { createMiddleware } from "hono/factory";
import type { Logger } from "../../shared/logger.ts";
import type { ApiEnv } from "../env.ts";
import { traceIdOf } from "../trace-id.ts";

/** Logs one line a request: no query, no header and no body, since each may hold a secret. */
export const requestLog = (logger: Logger) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const began = performance.now();
    await next();
    const { status } = c.res;
    logger[status >= 500 ? "error" : "info"](
      {
        request_id: c.get("requestId"),
        method: c.req.method,
        path: c.req.path,
        status,
        tenant: c.get("tenant"),
        key: c.get("keyId"),
        trace_id: traceIdOf(c.req.header("traceparent")),
        ms: Math.round(performance.now() - began),
      },
      "request",
    );
  });
