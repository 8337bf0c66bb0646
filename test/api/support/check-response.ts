import type { OpenAPIHono } from "@hono/zod-openapi";
import { expect } from "vitest";
import { z } from "zod";
import type { ApiEnv } from "../../../api/env.ts";
import { ERROR_KINDS, Problem, problemType } from "../../../shared/contracts/error.ts";

/** A route as it was registered: `responses` hold the zod schemas that the OpenAPI document is made of. */
interface Route {
  method: string;
  path: string;
  request?: { headers?: z.ZodObject };
  responses: Record<string, { content?: Record<string, { schema: z.ZodType }> }>;
}

/** The routes that the OpenAPI document describes. */
export const describedRoutes = (app: OpenAPIHono<ApiEnv>): Route[] =>
  app.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === "route" ? [definition.route as unknown as Route] : [],
  );

/** Fails unless the document has this status and content type for the route and the body is what its schema says, without a field more. */
export async function checkResponse(
  app: OpenAPIHono<ApiEnv>,
  method: string,
  path: string,
  response: Response,
): Promise<void> {
  const { status, headers } = response;
  const text = await response.text();
  const where = `${method} ${path} answered ${status} ${text.slice(0, 500)}`;
  checkHeaders(headers, where);
  if (status >= 400 && headers.get("content-type") !== "application/json")
    checkProblem(status, headers, text, path);
  const pathname = path.split("?")[0] ?? "";
  const route = describedRoutes(app).find(
    (each) =>
      each.method === method.toLowerCase() &&
      new RegExp(`^${each.path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`).test(pathname),
  );
  if (route === undefined) {
    expect([401, 404], where).toContain(status);
    return;
  }
  if (status === 204) {
    expect([route.responses[status], text], where).toEqual([expect.anything(), ""]);
    return;
  }
  const mediaType = headers.get("content-type")?.split(";")[0] ?? "";
  const schema = route.responses[status]?.content?.[mediaType]?.schema;
  expect(schema, `${where} as ${mediaType}, which the document does not describe`).toBeDefined();
  for (const body of bodiesOf(mediaType, text)) expect(schema?.parse(body), where).toEqual(body);
}

function bodiesOf(mediaType: string, text: string): unknown[] {
  if (mediaType === "application/x-ndjson")
    return text.split("\n").flatMap((line): unknown[] => (line === "" ? [] : [JSON.parse(line)]));
  if (mediaType === "text/event-stream")
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = ""]): unknown => JSON.parse(data));
  if (["text/html", "text/csv", "application/vnd.apache.parquet"].includes(mediaType)) return [text];
  return [JSON.parse(text)];
}

function checkHeaders(headers: Headers, where: string): void {
  expect(headers.get("x-request-id"), where).toMatch(/^[\w-]+$/);
  expect(headers.get("x-content-type-options"), where).toBe("nosniff");
  expect(headers.get("x-frame-options"), where).toBe("SAMEORIGIN");
  expect(headers.get("content-security-policy"), where).toMatch(/default-src 'none'/);
}

function checkProblem(status: number, headers: Headers, text: string, path: string): void {
  expect(headers.get("content-type"), text).toBe("application/problem+json");
  const problem = Problem.parse(JSON.parse(text));
  expect(problem).toMatchObject({
    status,
    title: ERROR_KINDS[problem.code].title,
    type: problemType(problem.code),
    instance: path.split("?")[0],
    request_id: headers.get("x-request-id"),
  });
  expect(ERROR_KINDS[problem.code].status).toBe(status);
  expect(problem.detail).toMatch(/^[A-Z/"a-z].*[.]$/s);
  expect(text, "an error body shows something internal").not.toMatch(
    /node_modules|\.ts:\d|\bat (async )?\S+ \(|127\.0\.0\.1|\/tmp\/|ECONN|ioredis|redis:/i,
  );
  if (problem.code === "unauthorized") expect(headers.get("www-authenticate")).toMatch(/^Bearer/);
  if (problem.code === "overloaded") expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
}
