import { createMiddleware } from "hono/factory";
import { parseTraceparent, traceIdOf } from "../../shared/traceparent.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { routeOf } from "../route-of.ts";

/** What is asked every few seconds by whoever watches over the process: told of when it fails, or when all is logged. */
const WATCHING = ["/healthz", "/readyz"];

/**
 * Tells of each request once, when it is answered: by one line of the log, and by one span of the trace that it belongs to or
 * begins. No query, no header and no body, since each may hold a secret.
 */
export const requestLog = ({ logger, tracer }: Pick<ApiDeps, "logger" | "tracer">) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const began = performance.now();
    const { method, path } = c.req;
    const parent = parseTraceparent(c.req.header("traceparent"));
    const span = WATCHING.includes(path) ? undefined : tracer.start(method, { kind: "server", parent });
    if (span !== undefined) c.set("traceparent", span.traceparent);
    await next();
    const { status } = c.res;
    const route = routeOf(c);
    const told = {
      request_id: c.get("requestId"),
      id: c.get("createdId") ?? idIn(path),
      tenant: c.get("tenant"),
      key_id: c.get("keyId"),
      code: c.get("problemCode"),
    };
    const line = {
      trace_id: span && traceIdOf(span.traceparent),
      ...told,
      method,
      route,
      path,
      http_status: status,
      ms: Math.round(performance.now() - began),
    };
    logger[status >= 500 ? "error" : span === undefined ? "debug" : "info"](line, "request");
    if (span === undefined) return;
    span.rename(route === undefined ? method : `${method} ${route}`);
    span.set({
      ...told,
      "http.request.method": method,
      "http.route": route,
      "http.response.status_code": status,
      "url.path": path,
    });
    span.end(status >= 500 ? { error: `answered ${status}` } : {});
  });

/** The last id in a path. */
const idIn = (path: string) => path.split("/").findLast((part) => /^[a-z]{3}_[a-z0-9]+$/.test(part));
