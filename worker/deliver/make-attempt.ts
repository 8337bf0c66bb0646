import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { signWebhook } from "../../shared/signature.ts";
import type { SafeFetch } from "../net/safe-fetch.ts";
import { outcomeOfAnswer, outcomeOfError } from "./outcome.ts";
import type { AttemptOutcome } from "./outcome.ts";

/** Milliseconds a receiver has to answer, to the last byte. */
const TIMEOUT_MS = 15_000;
/** This many bytes of an answer are read so that the connection can serve again; nothing but its status counts. */
const MAX_ANSWER_BYTES = 4_096;
/** The part of it that its owner is shown. */
const SHOWN_BYTES = 1_024;

/** One attempt: how it ended, what the receiver said, when it began (ms since 1970) and how long it took (ms). */
export interface MadeAttempt {
  outcome: AttemptOutcome;
  responseBody: string | null;
  startedAt: number;
  durationMs: number;
}

/** Signs the body as it is with each of the secrets and posts it, with the place in its trace that it goes under. */
export async function makeAttempt(
  { message_id: messageId, body, traceparent }: DeliverPayload,
  { url, secrets }: { url: string; secrets: readonly string[] },
  safeFetch: SafeFetch,
): Promise<MadeAttempt> {
  const startedAt = Date.now();
  const began = performance.now();
  const timestamp = Math.floor(startedAt / 1000);
  const signatures = secrets.map((secret) => signWebhook(secret, { messageId, timestamp, body }));
  const headers = {
    "content-type": "application/json",
    "user-agent": "Tresline-Webhooks/1",
    "webhook-id": messageId,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": (await Promise.all(signatures)).join(" "),
    ...(traceparent !== undefined && { traceparent }),
  };
  const answered = await post(url, { headers, body }, safeFetch);
  return { ...answered, startedAt, durationMs: Math.round(performance.now() - began) };
}

async function post(
  url: string,
  request: { headers: Record<string, string>; body: string },
  safeFetch: SafeFetch,
): Promise<Pick<MadeAttempt, "outcome" | "responseBody">> {
  try {
    const { status, headers, body } = await safeFetch.fetch(url, {
      ...request,
      method: "POST",
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      whenTooLarge: "truncate",
      maxRedirects: 0,
    });
    const responseBody = new TextDecoder().decode(body.subarray(0, SHOWN_BYTES));
    return { outcome: outcomeOfAnswer(status, headers["retry-after"]), responseBody };
  } catch (error) {
    return { outcome: outcomeOfError(error), responseBody: null };
  }
}
