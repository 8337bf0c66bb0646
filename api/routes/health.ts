import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";

/** Milliseconds after which a part that does not answer counts as away. */
const CHECK_TIMEOUT_MS = 3_000;

const Readiness = z
  .object({ status: z.enum(["ready", "not_ready"]), checks: z.record(z.string(), z.enum(["ok", "away"])) })
  .meta({ id: "Readiness" });
const json = { content: { "application/json": { schema: Readiness } } };

const healthz = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "getHealth",
  summary: "Whether the process runs",
  tags: ["Operations"],
  responses: {
    200: {
      description: "It runs.",
      content: { "application/json": { schema: z.object({ status: z.literal("ok") }) } },
    },
  },
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  operationId: "getReadiness",
  summary: "Whether requests can be accepted",
  tags: ["Operations"],
  responses: {
    200: { description: "Redis and storage answer.", ...json },
    503: { description: "One does not.", ...json },
  },
});

/** The routes for those who run the service. */
export function healthRoutes({
  redis,
  storage,
  logger,
}: Pick<ApiDeps, "redis" | "storage" | "logger">): OpenAPIHono<ApiEnv> {
  const routes = new OpenAPIHono<ApiEnv>();
  routes.openapi(healthz, (c) => c.json({ status: "ok" as const }, 200));
  routes.openapi(readyz, async (c) => {
    const parts = { redis: redis.ping(), storage: storage.check() };
    const checks = await Promise.all(
      Object.entries(parts).map(async ([name, answer]) => [name, await isThere(name, answer)] as const),
    );
    const isReady = checks.every(([, state]) => state === "ok");
    return c.json(
      { status: isReady ? "ready" : "not_ready", checks: Object.fromEntries(checks) } as const,
      isReady ? 200 : 503,
    );
  });
  return routes;

  async function isThere(name: string, answer: Promise<unknown>): Promise<"ok" | "away"> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)),
      CHECK_TIMEOUT_MS,
    );
    try {
      await Promise.race([answer, late]);
      return "ok";
    } catch (err) {
      logger.warn({ check: name, err }, "not ready");
      return "away";
    } finally {
      clearTimeout(timer);
    }
  }
}
