import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askSeldom } from "../../worker/ask-seldom.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("an answer does for five seconds, however often it is wanted", async () => {
  const ask = vi.fn<() => Promise<number>>().mockResolvedValueOnce(1).mockResolvedValueOnce(2);
  const asked = askSeldom(ask);
  expect([await asked(), await asked()]).toEqual([1, 1]);
  vi.advanceTimersByTime(4_900);
  expect(await asked()).toBe(1);
  vi.advanceTimersByTime(200);
  expect(await asked()).toBe(2);
});

test("those who want an answer at once wait for the same one", async () => {
  const ask = vi.fn<() => Promise<number>>().mockResolvedValue(1);
  const asked = askSeldom(ask);
  expect(await Promise.all([asked(), asked(), asked()])).toEqual([1, 1, 1]);
  expect(ask).toHaveBeenCalledTimes(1);
});

test("nobody waits longer than two seconds, and nothing is asked twice while it is not answered", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const ask = vi.fn<() => Promise<number>>().mockReturnValue(promise);
  const asked = askSeldom(ask);
  for (let times = 0; times < 3; times++) {
    const answer = asked();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await answer).toBeUndefined();
  }
  expect(ask).toHaveBeenCalledTimes(1);
  resolve(7);
  await vi.advanceTimersByTimeAsync(0);
  expect(await asked()).toBe(7);
});

test("what cannot be asked is unknown, and asked anew the next time", async () => {
  const ask = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error("away")).mockResolvedValue(3);
  const asked = askSeldom(ask);
  expect(await asked()).toBeUndefined();
  expect(await asked()).toBe(3);
});
