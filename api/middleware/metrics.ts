import { createMiddleware } from "hono/factory";
import type { ApiEnv } from "../env.ts";
import { routeOf } from "../route-of.ts";

/** One request, for those who count: its route is a pattern such as `/v1/batches/:id`, "none" where there is no such page. */
export interface AnsweredRequest {
  method: string;
  route: string;
  status: number;
  /** Milliseconds until the answer began. */
  ms: number;
}

/** Counts requests. Where one process serves few of them, as on AWS Lambda and Cloudflare Workers, nobody does. */
export interface HttpMetrics {
  requestAnswered: (request: AnsweredRequest) => void;
}

/** Counts each request by its route and never by its path, of which there are as many as things. */
export const countRequests = (metrics: HttpMetrics) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const began = performance.now();
    await next();
    metrics.requestAnswered({
      method: c.req.method,
      route: routeOf(c) ?? "none",
      status: c.res.status,
      ms: performance.now() - began,
    });
  });
