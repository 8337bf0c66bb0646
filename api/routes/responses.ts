import { Problem } from "../../shared/contracts/error.ts";

/** The error answers of a route for its OpenAPI description, by status. */
export const problems = (...statuses: number[]) =>
  Object.fromEntries(
    [400, 401, 500, 503, ...statuses].map((status) => [
      status,
      { description: "A problem.", content: { "application/problem+json": { schema: Problem } } },
    ]),
  );

/** The security of routes under /v1 in the OpenAPI document. */
export const BEARER = [{ bearer: [] }];
