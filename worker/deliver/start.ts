import { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import { queueNames } from "../../shared/queue.ts";
import { consume } from "../consume.ts";
import type { Consuming } from "../consume.ts";
import { createSafeFetch } from "../net/safe-fetch.ts";
import type { WorkerDeps } from "../start.ts";
import { DeliveryFailed, deliverMessage } from "./deliver-message.ts";
import { createReceiverSlots } from "./receiver-slots.ts";
import { retryWaitMs } from "./schedule.ts";

/** Attempts under way at once, of which no receiver gets more than a few. */
const CONCURRENCY = 128;
/** Milliseconds to wait after trouble of our own, which the receivers' schedule is not for. */
const TROUBLE_WAIT_MS = 10_000;

/** Starts the `deliver` role: sends signed messages, each tried again by the schedule until it is delivered. */
export function startDeliver(deps: WorkerDeps): Consuming {
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: deps.config.ALLOWED_PRIVATE_NETWORKS });
  const slots = createReceiverSlots();
  const consuming = consume(deps, {
    queue: queueNames.deliver,
    payload: DeliverPayload,
    concurrency: CONCURRENCY,
    handle: (payload, attempt) => deliverMessage(payload, attempt, { ...deps, safeFetch, slots }),
    retryAfterMs: (number, error) =>
      error instanceof DeliveryFailed ? retryWaitMs(number, error.retryAfterS) : TROUBLE_WAIT_MS,
  });
  return {
    stop: consuming.stop,
    async close() {
      await consuming.close();
      await safeFetch.close();
    },
  };
}
