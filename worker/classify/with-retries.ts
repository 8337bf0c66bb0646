import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds to wait before each further try of an item that met trouble which may pass. */
const RETRY_WAITS_MS = [1_000, 4_000];

/** Tries an item of a chunk, a few times when it throws. Once `signal` is aborted, or after the waits, comes the last try. */
export async function withRetries<Result>(
  attempt: (lastTry: boolean) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (const wait of RETRY_WAITS_MS) {
    if (signal.aborted) break;
    try {
      return await attempt(false);
    } catch {
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }
  return attempt(true);
}
