const MINUTE = 60;
const HOUR = 3_600;

/**
 * Seconds to wait after each failed attempt, from the first to the ninth: ten attempts in 75 hours and 35 minutes
 * (Standard Webhooks 1.0, "Delivery success criteria and retries").
 */
export const RETRY_WAITS_S = [
  5,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;

/** How often a message is tried before it is given up. */
export const MAX_ATTEMPTS = RETRY_WAITS_S.length + 1;

/** How far a wait may be off, either way, so that receivers that failed together are not tried together. */
const JITTER = 0.2;

/** Milliseconds to wait after attempt `number` failed; at least `retryAfterS` seconds when the receiver asked for that. */
export function retryWaitMs(number: number, retryAfterS = 0, random: () => number = Math.random): number {
  const scheduled = RETRY_WAITS_S[Math.min(number, RETRY_WAITS_S.length) - 1] ?? 0;
  const jittered = scheduled * (1 + JITTER * (2 * random() - 1));
  return Math.round(Math.max(jittered, Math.min(retryAfterS, 24 * HOUR)) * 1000);
}
