import type { Call, Transport } from "./transport.ts";

/** What a call takes that creates something. */
export interface Creating extends Call {
  /** Names the request, so that it is done once however often it is sent; made anew for each call when absent, unless the client never sends a request again. */
  idempotencyKey?: string | undefined;
}

/** What a call takes whose work may have a deadline. */
export interface CreatingWork extends Creating {
  /** `30s`, `5m` or `2h`: what has not been labelled by then is left undone. */
  cancelAfter?: string | undefined;
}

/**
 * The headers of a request that creates something: the same for each of its tries. One that is sent once needs no name, which
 * the service would have to remember for a day.
 */
export function creatingHeaders(
  { idempotencyKey, cancelAfter }: CreatingWork,
  { sendsAgain }: Pick<Transport, "sendsAgain">,
): Record<string, string> {
  const key = idempotencyKey ?? (sendsAgain ? crypto.randomUUID() : undefined);
  return {
    ...(key !== undefined && { "idempotency-key": key }),
    ...(cancelAfter !== undefined && { "cancel-after": cancelAfter }),
  };
}

/** The same with a JSON body. */
export const creatingJson = (
  body: unknown,
  call: CreatingWork,
  transport: Pick<Transport, "sendsAgain">,
) => ({
  headers: { ...creatingHeaders(call, transport), "content-type": "application/json" },
  body: JSON.stringify(body),
  signal: call.signal,
});
