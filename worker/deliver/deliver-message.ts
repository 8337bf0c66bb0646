import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { getEndedMessage } from "../../shared/state/webhook-messages.ts";
import type { Span, Tracer } from "../../shared/trace.ts";
import type { Attempt, PutOff } from "../consume.ts";
import { inJobSpan } from "../in-job-span.ts";
import type { SafeFetch } from "../net/safe-fetch.ts";
import { tellEnd } from "../tell-end.ts";
import { findReceiver } from "./find-receiver.ts";
import { makeAttempt } from "./make-attempt.ts";
import type { MadeAttempt } from "./make-attempt.ts";
import type { ReceiverSlots } from "./receiver-slots.ts";
import { recordAttempt, recordNotSent } from "./record-attempt.ts";
import type { RecordDeps } from "./record-attempt.ts";
import { MAX_ATTEMPTS } from "./schedule.ts";

/** An attempt failed and the message is to be tried again, not before `retryAfterS` seconds when the receiver said so. */
export class DeliveryFailed extends Error {
  override readonly name = "DeliveryFailed";
  readonly retryAfterS: number | undefined;

  constructor(reason: string, retryAfterS: number | undefined) {
    super(reason);
    this.retryAfterS = retryAfterS;
  }
}

/** What messages are delivered with. */
export interface DeliverDeps extends RecordDeps {
  tracer: Tracer;
  safeFetch: SafeFetch;
  slots: ReceiverSlots;
}

/**
 * Makes one attempt to deliver a message and writes down how it ended. Puts the message off while its receiver has all the
 * attempts under way that it may have. Throws DeliveryFailed when the message is to be tried again.
 */
export async function deliverMessage(
  payload: DeliverPayload,
  { number }: Pick<Attempt, "number">,
  deps: DeliverDeps,
): Promise<void | PutOff> {
  const slot = deps.slots.take("endpoint_id" in payload ? payload.endpoint_id : new URL(payload.url).host);
  if ("putOffMs" in slot) return slot;
  try {
    await inJobSpan(deps.tracer, "deliver message", payload, (traced, span) =>
      deliver(traced, number, span, deps),
    );
  } finally {
    slot.release();
  }
}

async function deliver(
  payload: DeliverPayload,
  number: number,
  span: Span,
  deps: DeliverDeps,
): Promise<void> {
  const { redis, logger } = deps;
  const { message_id: id, event_type: event, tenant } = payload;
  const ended = await getEndedMessage(redis, id);
  // It was announced again after its end, or a worker was killed between that and the end of its job.
  if (ended !== undefined && ended.payload.sending >= payload.sending) return;
  const receiver = await findReceiver(payload, redis);
  if (receiver.kind === "unwanted") return;
  const about = { id, tenant, event };
  if (receiver.kind === "closed") {
    const { reason } = receiver;
    await recordNotSent(payload, { attempts: number - 1, reason }, deps);
    tellEnd({ logger, span }, "webhook not sent", { ...about, reason }, "warn");
    return;
  }
  const { host } = new URL(receiver.url);
  const attempt = await attemptInSpan(payload, receiver, host, deps);
  await recordAttempt(payload, number, attempt, deps);
  tellAttempt({ ...about, host, attempt: number }, attempt, span, deps);
  const { outcome } = attempt;
  if (outcome.kind === "retry" && number < MAX_ATTEMPTS)
    throw new DeliveryFailed(outcome.reason, outcome.retryAfterS);
}

/** Makes an attempt that tells the receiver of a span of its own, so that what the receiver does goes under this very attempt. */
async function attemptInSpan(
  payload: DeliverPayload,
  receiver: Parameters<typeof makeAttempt>[1],
  host: string,
  { tracer, safeFetch }: DeliverDeps,
): Promise<MadeAttempt> {
  const span = tracer.start("POST", { kind: "client", parent: payload.traceparent });
  const { traceparent } = span;
  const made = await makeAttempt({ ...payload, traceparent }, receiver, safeFetch);
  const { outcome } = made;
  span.set({
    "http.request.method": "POST",
    "server.address": host,
    "http.response.status_code": outcome.status,
  });
  span.end(outcome.kind === "delivered" ? {} : { error: outcome.reason });
  return made;
}

function tellAttempt(
  about: { attempt: number; [field: string]: string | number },
  { outcome, durationMs }: MadeAttempt,
  span: Span,
  { logger, metrics }: DeliverDeps,
): void {
  metrics.attemptMade(outcome.kind, durationMs);
  const fields = {
    ...about,
    outcome: outcome.kind,
    http_status: outcome.status,
    reason: outcome.kind === "delivered" ? undefined : outcome.reason,
    retry_after_s: outcome.kind === "retry" ? outcome.retryAfterS : undefined,
    ms: durationMs,
  };
  const teller = { logger, span };
  if (outcome.kind === "delivered") tellEnd(teller, "webhook delivered", fields);
  else if (outcome.kind === "gone") tellEnd(teller, "webhook dropped", fields, "error");
  else if (about.attempt >= MAX_ATTEMPTS) tellEnd(teller, "webhook given up", fields, "error");
  else tellEnd(teller, "webhook attempt failed", fields, "warn");
}
