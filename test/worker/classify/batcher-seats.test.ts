import { describe, expect, test } from "vitest";
import { createBatcher } from "../../../worker/classify/batcher.ts";
import type { Seat } from "../../../worker/classify/batcher.ts";
import { fakeEngine } from "../../support/fake-engine.ts";
import { BULK, classify, noWindow, settled } from "./use-batcher.ts";

const INTERACTIVE: Seat = { lane: "interactive", tenant: "a" };

describe("who goes first", () => {
  test("an interactive image takes the place of the last bulk image when the next micro-batch is full", async () => {
    const { engine, runs } = fakeEngine(4);
    const batcher = createBatcher(engine, noWindow);
    const results = [1, 2, 3, 4, 5].map((mark) => classify(batcher, mark));
    await settled();
    results.push(classify(batcher, 9, INTERACTIVE));
    await settled();
    runs[0]?.finish();
    await settled();
    expect(runs[1]?.marks).toEqual([2, 3, 4, 9]);
    runs[1]?.finish();
    await settled();
    expect(runs[2]?.marks).toEqual([5]);
    runs[2]?.finish();
    expect((await Promise.all(results)).map(({ answer }) => answer[0])).toEqual([1, 2, 3, 4, 5, 9]);
  });

  test("bulk keeps its share of a micro-batch under a flood of interactive images", async () => {
    const { engine, runs } = fakeEngine(8);
    const batcher = createBatcher(engine, noWindow);
    void classify(batcher, 1);
    await settled();
    for (let i = 0; i < 30; i++) void classify(batcher, 100 + i, INTERACTIVE);
    for (let i = 0; i < 10; i++) void classify(batcher, 10 + i);
    await settled();
    for (let i = 0; i < 4; i++) {
      runs[i]?.finish();
      await settled();
    }
    const bulkIn = (run: number) => runs[run]?.marks.filter((mark) => mark < 100).length ?? 0;
    expect(bulkIn(2) + bulkIn(3)).toBeGreaterThanOrEqual(2);
  });

  test("an interactive image does not wait for a full micro-batch of bulk images, which run after it", async () => {
    const { engine, runs } = fakeEngine(8, 1, (rung) => rung);
    const batcher = createBatcher(engine, noWindow);
    const results = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((mark) => classify(batcher, mark));
    await settled();
    results.push(classify(batcher, 10, INTERACTIVE));
    await settled();
    for (let i = 0; i < runs.length; i++) {
      runs[i]?.finish();
      await settled();
    }
    expect(runs.map(({ marks }) => marks)).toEqual([[1], [10, 2], [3, 4, 5, 6], [7, 8], [9]]);
    expect((await Promise.all(results)).map(({ answer }) => answer[0])).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  test("an image that is no longer wanted is dropped before it enters a micro-batch", async () => {
    const { engine, runs } = fakeEngine(1);
    const batcher = createBatcher(engine, noWindow);
    const results = Promise.allSettled([classify(batcher, 1), classify(batcher, 2)]);
    const controller = new AbortController();
    const seat = { ...BULK, signal: controller.signal };
    const dropped = classify(batcher, 3, seat).catch((error: Error) => error.message);
    await settled();
    controller.abort(new Error("deadline"));
    runs[0]?.finish();
    await settled();
    runs[1]?.finish();
    expect(await dropped).toBe("deadline");
    await results;
    expect(runs.map(({ marks }) => marks)).toEqual([[1], [2]]);
  });
});

test("an image that is no longer wanted when its micro-batch begins is taken out of it, and the others move up", async () => {
  const { engine, runs } = fakeEngine(4);
  const batcher = createBatcher(engine, noWindow);
  const controller = new AbortController();
  const results = [1, 2, 3, 4].map((mark) =>
    classify(batcher, mark, { ...BULK, signal: mark === 3 ? controller.signal : undefined }).then(
      ({ answer }) => answer[0],
      (error: Error) => error.message,
    ),
  );
  await settled();
  controller.abort(new Error("deadline"));
  runs[0]?.finish();
  await settled();
  expect(runs[1]?.marks.slice(0, 2)).toEqual([2, 4]);
  runs[1]?.finish();
  expect(await Promise.all(results)).toEqual([1, 2, "deadline", 4]);
});
