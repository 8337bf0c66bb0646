import { PermanentError, TransientError } from "../../shared/errors.ts";

/** How one attempt to deliver a message ended; `status` is that of the answer, if there was one. */
export type AttemptOutcome =
  | { kind: "delivered"; status: number }
  | { kind: "gone"; status: number; reason: string }
  | { kind: "retry"; status?: number; reason: string; retryAfterS?: number };

/** Judges a receiver's answer (Standard Webhooks 1.0): 2xx is success, 410 means stop, a redirect is a failure like any other. */
export function outcomeOfAnswer(
  status: number,
  retryAfter: string | undefined,
  now = Date.now(),
): AttemptOutcome {
  if (status >= 200 && status < 300) return { kind: "delivered", status };
  if (status === 410)
    return { kind: "gone", status, reason: "the receiver answered 410: it wants no more messages" };
  const reason =
    status >= 300 && status < 400
      ? `the receiver answered ${status}: redirects are not followed; give the final address`
      : `the receiver answered ${status}`;
  const retryAfterS = secondsOf(retryAfter, now);
  return { kind: "retry", status, reason, ...(retryAfterS !== undefined && { retryAfterS }) };
}

/** Judges what was thrown before there was an answer; an address that may not be reached now may be reached after the owner mends it. */
export function outcomeOfError(error: unknown): AttemptOutcome {
  if (error instanceof TransientError || error instanceof PermanentError)
    return { kind: "retry", reason: error.message };
  throw error;
}

/** `Retry-After` is seconds or a date (RFC 9110, 10.2.3). */
function secondsOf(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - now) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, Math.ceil(seconds));
}
