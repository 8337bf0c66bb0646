import { z } from "@hono/zod-openapi";
import { ERROR_KINDS, Problem } from "../../shared/contracts/error.ts";
import type { ErrorCode } from "../../shared/contracts/error.ts";

/** What any route under /v1 that takes keys may answer. */
const ALWAYS: ErrorCode[] = [
  "invalid_request",
  "unauthorized",
  "forbidden",
  "rate_limited",
  "internal",
  "overloaded",
];

/** What a route may answer besides that takes `Idempotency-Key`. */
export const CREATING_PROBLEMS: ErrorCode[] = ["conflict", "idempotency_key_reused"];

/** The error answers of a route for its OpenAPI description, by status: those of every route under /v1 that takes keys, and these codes. */
export const problems = (...codes: ErrorCode[]) => onlyProblems(...ALWAYS, ...codes);

/** The same of these codes alone. */
export function onlyProblems(...codes: ErrorCode[]) {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERROR_KINDS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, each]) => [
      status,
      {
        description: each.map((code) => `\`${code}\``).join(" or "),
        content: { "application/problem+json": { schema: Problem } },
      },
    ]),
  );
}

/** The headers of a 202. */
export const acceptedHeaders = z.object({
  location: z.string().meta({ description: "Where to ask for it again." }),
  "retry-after": z.string().meta({ description: "Seconds to wait before that." }),
});

/** The security of routes under /v1 in the OpenAPI document. */
export const BEARER = [{ bearer: [] }];

/** A JSON body as a route describes it. */
export const json = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { "application/json": { schema } },
});
