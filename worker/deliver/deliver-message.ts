import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { getEndedMessage } from "../../shared/state/webhook-messages.ts";
import type { Attempt, PutOff } from "../consume.ts";
import type { SafeFetch } from "../net/safe-fetch.ts";
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
    await deliver(payload, number, deps);
  } finally {
    slot.release();
  }
}

async function deliver(payload: DeliverPayload, number: number, deps: DeliverDeps): Promise<void> {
  const { redis, logger, safeFetch } = deps;
  const ended = await getEndedMessage(redis, payload.message_id);
  // It was announced again after its end, or a worker was killed between that and the end of its job.
  if (ended !== undefined && ended.payload.sending >= payload.sending) return;
  const receiver = await findReceiver(payload, redis);
  if (receiver.kind === "unwanted") return;
  const about = { message: payload.message_id, event: payload.event_type };
  if (receiver.kind === "closed") {
    await recordNotSent(payload, { attempts: number - 1, reason: receiver.reason }, deps);
    logger.warn({ ...about, reason: receiver.reason }, "webhook not sent");
    return;
  }
  const attempt = await makeAttempt(payload, receiver, safeFetch);
  await recordAttempt(payload, number, attempt, deps);
  tell({ ...about, host: new URL(receiver.url).host, attempt: number }, attempt, deps);
  const { outcome } = attempt;
  if (outcome.kind === "retry" && number < MAX_ATTEMPTS)
    throw new DeliveryFailed(outcome.reason, outcome.retryAfterS);
}

function tell(
  about: { attempt: number; [field: string]: unknown },
  { outcome, durationMs }: MadeAttempt,
  { logger, metrics }: DeliverDeps,
): void {
  metrics.attemptMade(outcome.kind, durationMs);
  const line = { ...about, ms: durationMs, ...outcome };
  if (outcome.kind === "delivered") logger.info(line, "webhook delivered");
  else if (outcome.kind === "gone") logger.error(line, "webhook dropped");
  else if (about.attempt >= MAX_ATTEMPTS) logger.error(line, "webhook given up");
  else logger.warn(line, "webhook attempt failed");
}
