import type { Call } from "./transport.ts";

/** What a call takes that creates something. */
export interface Creating extends Call {
  /** Names the request, so that it is done once however often it is sent; made anew for each call when absent. */
  idempotencyKey?: string | undefined;
}

/** What a call takes whose work may have a deadline. */
export interface CreatingWork extends Creating {
  /** `30s`, `5m` or `2h`: what has not been labelled by then is left undone. */
  cancelAfter?: string | undefined;
}

/** The headers of a request that creates something: the same for each of its tries. */
export function creatingHeaders({ idempotencyKey, cancelAfter }: CreatingWork): Record<string, string> {
  return {
    "idempotency-key": idempotencyKey ?? crypto.randomUUID(),
    ...(cancelAfter !== undefined && { "cancel-after": cancelAfter }),
  };
}

/** The same with a JSON body. */
export const creatingJson = (body: unknown, call: CreatingWork) => ({
  headers: { ...creatingHeaders(call), "content-type": "application/json" },
  body: JSON.stringify(body),
  signal: call.signal,
});
