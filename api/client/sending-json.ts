import type { Call, Sending } from "./transport.ts";

/** What a request has that sends JSON. */
export const sendingJson = (body: unknown, { signal }: Call) =>
  ({
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  }) satisfies Partial<Sending>;
