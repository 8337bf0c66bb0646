import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_ATTEMPTS, RETRY_WAITS_S, retryWaitMs } from "../../../worker/deliver/schedule.ts";

const HOUR = 3_600;

test("ten attempts span 75 hours and 35 minutes", () => {
  expect(MAX_ATTEMPTS).toBe(10);
  const total = RETRY_WAITS_S.reduce<number>((sum, wait) => sum + wait, 0);
  expect(total).toBe(75 * HOUR + 35 * 60 + 5);
});

test("every wait is its scheduled one, up to a fifth more or less", () => {
  for (const [i, wait] of RETRY_WAITS_S.entries()) {
    expect(retryWaitMs(i + 1, undefined, () => 0.5)).toBe(wait * 1_000);
    expect(retryWaitMs(i + 1, undefined, () => 0)).toBe(wait * 800);
    expect(retryWaitMs(i + 1, undefined, () => 1)).toBe(wait * 1_200);
  }
});

test("a receiver's Retry-After makes it longer but never shorter, and at most a day", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, asked, luck) => {
        const wait = retryWaitMs(n, asked, () => luck);
        expect(wait).toBeGreaterThanOrEqual(retryWaitMs(n, undefined, () => luck));
        expect(wait).toBeGreaterThanOrEqual(Math.min(asked, 24 * HOUR) * 1_000);
        expect(wait).toBeLessThanOrEqual(24 * HOUR * 1_200);
      },
    ),
  );
  expect(retryWaitMs(1, 60, () => 0.5)).toBe(60_000);
  expect(retryWaitMs(9, 60, () => 0.5)).toBe(24 * HOUR * 1_000);
});
