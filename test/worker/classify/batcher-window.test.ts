import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createBatcher } from "../../../worker/classify/batcher.ts";
import type { Batcher } from "../../../worker/classify/batcher.ts";
import { fakeEngine, markedImage } from "../../support/fake-engine.ts";
import { BULK, classify } from "./use-batcher.ts";

/** Lets the batcher learn that a micro-batch costs 10 + n ms and that images arrive every millisecond. */
async function learned(maxWaitMs: number) {
  const { engine, runs } = fakeEngine(4);
  const batcher = createBatcher(engine, { maxWaitMs });
  for (const images of [1, 2, 4]) {
    const blocker = classify(batcher, 0);
    await vi.advanceTimersByTimeAsync(0);
    const rest = Array.from({ length: images }, (_, i) =>
      batcher.classify(BULK, async () => {
        await new Promise((resolve) => setTimeout(resolve, i + 1));
        return markedImage(i + 1);
      }),
    );
    await vi.advanceTimersByTimeAsync(images + 1);
    runs.at(-1)?.finish(11);
    await vi.advanceTimersByTimeAsync(0);
    await blocker;
    runs.at(-1)?.finish(10 + images);
    await vi.advanceTimersByTimeAsync(0);
    await Promise.all(rest);
  }
  runs.length = 0;
  return { batcher, runs };
}
const arriving = (batcher: Batcher, mark: number, inMs: number) =>
  batcher.classify(BULK, async () => {
    await new Promise((resolve) => setTimeout(resolve, inMs));
    return markedImage(mark);
  });

describe("the window", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("an image waits for one that is about to arrive when that pays", async () => {
    const { batcher, runs } = await learned(20);
    const results = [arriving(batcher, 1, 1), arriving(batcher, 2, 2)];
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toEqual([]);
    await vi.advanceTimersByTimeAsync(10);
    expect(runs.map(({ marks }) => marks)).toEqual([[1, 2]]);
    runs[0]?.finish();
    await Promise.all(results);
  });

  test("it waits no longer than the bound for one that does not come", async () => {
    const { batcher, runs } = await learned(3);
    void arriving(batcher, 1, 1);
    void arriving(batcher, 2, 500);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toEqual([]);
    await vi.advanceTimersByTimeAsync(3);
    expect(runs.map(({ marks }) => marks)).toEqual([[1]]);
  });

  test("it runs at once when what was about to arrive fails instead", async () => {
    const { batcher, runs } = await learned(20);
    void arriving(batcher, 1, 1);
    const failing = batcher.classify(BULK, async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      throw new Error("404");
    });
    const failed = failing.catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs.map(({ marks }) => marks)).toEqual([[1]]);
    expect(await failed).toBe("404");
  });
});
