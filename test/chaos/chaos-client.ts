import { setTimeout as sleep } from "node:timers/promises";

/** What is asked of the service. */
export interface Asking {
  path: string;
  /** Sent as JSON by POST; absent to GET. */
  body?: unknown;
  idempotencyKey?: string;
  /** Sends no key of the service's. */
  isAnonymous?: boolean;
}

/** An answer. */
export interface Answered {
  status: number;
  text: string;
}

/** A client that asks until it is answered, whichever API is there. */
export interface ChaosClient {
  /** The answer, once there is one that is not "not now"; throws when there is none before `untilMs` (of `performance.now()`). */
  ask: (asking: Asking, untilMs: number) => Promise<Answered>;
}

/** Milliseconds that one API has to answer. */
const ANSWER_MS = 12_000;
/** Milliseconds until it is asked again. */
const PAUSE_MS = 400;

/** Opens one for the APIs at these addresses. */
export function openChaosClient(urls: readonly string[], apiKey: string): ChaosClient {
  let turn = 0;
  const askOnce = async ({
    path,
    body,
    idempotencyKey,
    isAnonymous = false,
  }: Asking): Promise<Answered | string> => {
    const url = urls[turn++ % urls.length];
    try {
      const response = await fetch(`${url}${path}`, {
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
        headers: {
          "content-type": "application/json",
          ...(!isAnonymous && { authorization: `Bearer ${apiKey}` }),
          ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
        },
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      const text = await response.text();
      // A conflict that names a time is about a request under the same key that is still in hand.
      const isInHand = response.status === 409 && response.headers.has("retry-after");
      const isNotNow = response.status >= 500 || response.status === 429 || isInHand;
      return isNotNow ? `${response.status} ${text}` : { status: response.status, text };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return cause instanceof Error ? cause.message : String(cause);
    }
  };
  return {
    async ask(asking, untilMs) {
      for (;;) {
        const answer = await askOnce(asking);
        if (typeof answer !== "string") return answer;
        if (performance.now() > untilMs)
          throw new Error(`${asking.path} was not answered in time, at last: ${answer}`);
        await sleep(PAUSE_MS);
      }
    },
  };
}
