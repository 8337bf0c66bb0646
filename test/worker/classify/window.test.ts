import { describe, expect, test } from "vitest";
import { RungCosts } from "../../../worker/classify/rung-costs.ts";
import { Window } from "../../../worker/classify/window.ts";

/** Costs of 10 + 1·n milliseconds. */
function learnedCosts() {
  const costs = new RungCosts([1, 2, 4, 8]);
  for (const rung of [1, 2, 4, 8]) costs.learn(rung, 10 + rung);
  return costs;
}

/** A window that has learned that images arrive every `gapMs` milliseconds. */
const arrivals = (gapMs: number, maxWaitMs = 20, costs = learnedCosts()) => {
  const window = new Window(maxWaitMs, costs);
  for (let i = 0; i < 50; i++) window.arrived(i * gapMs);
  return window;
};

describe("what a micro-batch costs", () => {
  test("its fixed part is learned from two rungs", () => {
    const costs = new RungCosts([1, 2, 4, 8]);
    expect(costs.fixedMs()).toBe(0);
    costs.learn(1, 11);
    expect(costs.fixedMs()).toBe(0);
    costs.learn(8, 18);
    expect(costs.fixedMs()).toBeCloseTo(10);
  });

  test("one slow run does not overturn what was learned, many do", () => {
    const costs = learnedCosts();
    costs.learn(8, 118);
    expect(costs.fixedMs()).toBeLessThan(11);
    for (let i = 0; i < 50; i++) costs.learn(8, 108);
    expect(costs.fixedMs()).toBe(0);
  });

  test("a few images over a rung are left for the next when padding would cost more than it brings", () => {
    const costs = new RungCosts([1, 2, 4, 8]);
    for (const rung of [1, 2, 4, 8]) costs.learn(rung, rung);
    expect([1, 2, 3, 4, 5, 6, 7, 8, 20].map((n) => costs.worthRunning(n))).toEqual([
      1, 2, 2, 4, 4, 4, 4, 8, 8,
    ]);
  });

  test("where the fixed part is large, padding is cheaper than a second micro-batch", () => {
    const costs = new RungCosts([1, 2, 4, 8]);
    for (const rung of [1, 2, 4, 8]) costs.learn(rung, 100 + rung);
    expect([3, 5, 7].map((n) => costs.worthRunning(n))).toEqual([3, 5, 7]);
  });

  test("beside interactive images run as many as take at most twice as long", () => {
    const costs = new RungCosts([1, 2, 4, 8, 16, 32]);
    expect(costs.besides(1)).toBe(32);
    for (const rung of [1, 2, 4, 8, 16, 32]) costs.learn(rung, 10 + rung);
    expect([1, 4, 8, 16, 30].map((urgent) => costs.besides(urgent))).toEqual([8, 16, 16, 32, 32]);
    for (const rung of [1, 2, 4, 8, 16, 32]) for (let i = 0; i < 60; i++) costs.learn(rung, rung);
    expect([1, 3, 16].map((urgent) => costs.besides(urgent))).toEqual([2, 8, 32]);
  });

  test("as long as nothing is known, all that wait run", () => {
    const costs = new RungCosts([1, 2, 4, 8]);
    expect([3, 5, 9].map((n) => costs.worthRunning(n))).toEqual([3, 5, 8]);
  });
});

describe("the window", () => {
  test("is open while the next image comes sooner than the fixed cost it saves", () => {
    expect(arrivals(2).waitMs({ isInteractive: true, waiting: 1, coming: 3, waitedMs: 0 })).toBeCloseTo(4);
  });

  test("closes when so many wait that their delay outweighs what one more saves", () => {
    const window = arrivals(2);
    expect(window.waitMs({ isInteractive: true, waiting: 4, coming: 3, waitedMs: 0 })).toBeGreaterThan(0);
    expect(window.waitMs({ isInteractive: true, waiting: 5, coming: 3, waitedMs: 0 })).toBe(0);
  });

  test("stays open for bulk images until the bound, whatever they cost", () => {
    const bulk = { isInteractive: false, waiting: 5, coming: 3, waitedMs: 4 };
    expect(arrivals(2).waitMs(bulk)).toBe(16);
    expect(new Window(20, new RungCosts([1, 2])).waitMs(bulk)).toBe(16);
    expect(arrivals(2).waitMs({ ...bulk, coming: 0 })).toBe(0);
    expect(arrivals(2).waitMs({ ...bulk, waitedMs: 20 })).toBe(0);
  });

  test("is shut when nothing is on its way", () => {
    expect(arrivals(2).waitMs({ isInteractive: true, waiting: 1, coming: 0, waitedMs: 0 })).toBe(0);
  });

  test("is shut for arrivals that are far between", () => {
    expect(arrivals(50).waitMs({ isInteractive: true, waiting: 1, coming: 1, waitedMs: 0 })).toBe(0);
  });

  test("never holds an image longer than the bound", () => {
    const window = arrivals(2, 5);
    expect(window.waitMs({ isInteractive: true, waiting: 1, coming: 1, waitedMs: 3 })).toBeCloseTo(2);
    expect(window.waitMs({ isInteractive: true, waiting: 1, coming: 1, waitedMs: 5 })).toBe(0);
  });

  test("is shut with a bound of 0, and before costs and gaps are known", () => {
    expect(arrivals(2, 0).waitMs({ isInteractive: true, waiting: 1, coming: 1, waitedMs: 0 })).toBe(0);
    expect(
      arrivals(2, 20, new RungCosts([1, 2])).waitMs({
        isInteractive: true,
        waiting: 1,
        coming: 1,
        waitedMs: 0,
      }),
    ).toBe(0);
    expect(
      new Window(20, learnedCosts()).waitMs({ isInteractive: true, waiting: 1, coming: 1, waitedMs: 0 }),
    ).toBe(0);
  });
});
