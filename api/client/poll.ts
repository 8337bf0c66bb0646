import { pause } from "./pause.ts";
import type { Answer, Call } from "./transport.ts";
import { TreslineError } from "./tresline-error.ts";

/** Milliseconds before the second look; each pause is half as long again as the one before. */
const FIRST_PAUSE_MS = 100;
/** The longest pause between looks, in milliseconds, unless the service asks for a longer one. */
const LONGEST_PAUSE_MS = 5_000;
/** What the service may ask for at most, in milliseconds. */
const LONGEST_ASKED_MS = 60_000;
/** Milliseconds for which a service that has answered before may be away. */
export const PATIENCE_MS = 120_000;

/** How to wait for something. */
export interface Waiting<Value> extends Call {
  /** Told of each look, the last one too. */
  onProgress?: ((value: Value) => void) | undefined;
}

/** Looks again and again until it has ended, through a restart of the service. Throws TreslineError when the service is away for two minutes, or at the first look. */
export async function poll<Value>(
  look: () => Promise<Answer<Value>>,
  hasEnded: (value: Value) => boolean,
  { signal, onProgress }: Waiting<Value>,
): Promise<Value> {
  let answeredAt: number | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    let askedMs = 0;
    try {
      const { value, retryAfterMs = 0 } = await look();
      answeredAt = performance.now();
      onProgress?.(value);
      if (hasEnded(value)) return value;
      askedMs = Math.min(retryAfterMs, LONGEST_ASKED_MS);
    } catch (error) {
      const isAway = error instanceof TreslineError && error.retryable;
      if (!isAway || answeredAt === undefined || performance.now() - answeredAt > PATIENCE_MS) throw error;
    }
    await pause(Math.max(pauseMs, askedMs), signal);
  }
}
