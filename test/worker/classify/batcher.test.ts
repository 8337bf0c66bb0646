import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBatcher } from "../../../worker/classify/batcher.ts";
import type { BatchedResult } from "../../../worker/classify/batcher.ts";
import { fakeEngine } from "../../support/fake-engine.ts";
import { BULK, classify, noWindow, settled } from "./use-batcher.ts";

describe("micro-batches", () => {
  test("a single image is run as soon as it is decoded, not kept waiting for others", async () => {
    const { engine, runs } = fakeEngine();
    void classify(createBatcher(engine, noWindow), 1);
    await settled();
    expect(runs.map(({ marks }) => marks)).toEqual([[1]]);
  });

  test("what arrives while one runs makes up the next, in the order of arrival", async () => {
    const { engine, runs } = fakeEngine();
    const batcher = createBatcher(engine, noWindow);
    const results = [1, 2, 3].map((mark) => classify(batcher, mark));
    await settled();
    expect(runs).toHaveLength(1);
    runs[0]?.finish();
    await settled();
    expect(runs.map(({ marks }) => marks)).toEqual([[1], [2, 3]]);
    runs[1]?.finish(5);
    const [first, second, third] = await Promise.all(results);
    expect([first, second, third].map((result) => result?.answer[0])).toEqual([1, 2, 3]);
    expect([first, second, third].map((result) => result?.batchSize)).toEqual([1, 2, 2]);
    expect(second).toMatchObject({ inferenceMs: 5, batchWaitMs: expect.toSatisfy((ms: number) => ms >= 0) });
  });

  test("none is larger than the largest rung, and each is padded to its rung", async () => {
    const { engine, runs } = fakeEngine(4);
    const batcher = createBatcher(engine, noWindow);
    const results = Array.from({ length: 12 }, (_, mark) => classify(batcher, mark + 1));
    await settled();
    for (let i = 0; i < 4; i++) {
      runs[i]?.finish(i);
      await settled();
    }
    expect(runs.map(({ rung }) => rung)).toEqual([1, 4, 4, 4]);
    expect(runs.map(({ marks }) => marks.slice(0, 3))).toEqual([[1], [2, 3, 4], [6, 7, 8], [10, 11, 12]]);
    expect((await Promise.all(results)).map(({ answer }) => answer[0])).toEqual(results.map((_, i) => i + 1));
  });

  test("two instances run two micro-batches at a time", async () => {
    const { engine, runs } = fakeEngine(2, 2);
    const batcher = createBatcher(engine, noWindow);
    const results = [1, 2, 3, 4].map((mark) => classify(batcher, mark));
    await settled();
    expect(runs.map(({ marks }) => marks)).toEqual([[1], [2]]);
    runs[1]?.finish();
    await settled();
    expect(runs[2]?.marks).toEqual([3, 4]);
    runs[0]?.finish();
    runs[2]?.finish();
    expect((await Promise.all(results)).map(({ answer }) => answer[0])).toEqual([1, 2, 3, 4]);
  });

  test("a failure of the engine is that of its micro-batch alone, and the next one runs", async () => {
    const { engine, runs } = fakeEngine();
    const batcher = createBatcher(engine, noWindow);
    const results = Promise.allSettled([1, 2, 3].map((mark) => classify(batcher, mark)));
    await settled();
    const failure = new Error("out of memory");
    runs[0]?.fail(failure);
    await settled();
    runs[1]?.finish();
    const [first, second, third] = await results;
    expect(first).toEqual({ status: "rejected", reason: failure });
    expect([second?.status, third?.status]).toEqual(["fulfilled", "fulfilled"]);
  });

  test("a slab that a lost thread may still write to is not used again", async () => {
    const { engine, runs } = fakeEngine(1);
    const batcher = createBatcher(engine, noWindow);
    const lost = classify(batcher, 1);
    await settled();
    runs[0]?.fail(new Error("hung"));
    await expect(lost).rejects.toThrow("hung");
    for (const mark of [2, 3, 4]) {
      const result = classify(batcher, mark);
      await settled();
      // The thread of the first micro-batch wakes up and writes its scores.
      runs[0]?.finish();
      runs.at(-1)?.finish();
      expect((await result).answer[0]).toBe(mark);
    }
  });

  test("an image of the wrong size fails alone", async () => {
    const { engine, runs } = fakeEngine();
    const batcher = createBatcher(engine, noWindow);
    const wrong = batcher.classify(BULK, async () => new Uint8Array(7));
    await expect(wrong).rejects.toThrow("An image has 7 bytes instead of 3. This is a bug.");
    const right = classify(batcher, 2);
    await settled();
    runs[0]?.finish();
    expect((await right).answer[0]).toBe(2);
  });

  test("what the preparation of an image throws is its own failure", async () => {
    const { engine, runs } = fakeEngine();
    const batcher = createBatcher(engine, noWindow);
    const failure = new Error("404");
    await expect(batcher.classify(BULK, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(runs).toEqual([]);
  });
});

test("in any order of arrivals, cancels and crashes every image settles exactly once, with its own row", async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("bulk" as const, "interactive" as const) },
    { weight: 2, arbitrary: fc.constantFrom("finish" as const, "crash" as const) },
    { weight: 1, arbitrary: fc.constant("cancel" as const) },
  );
  const sizes = fc.record({ max: fc.integer({ min: 1, max: 5 }), instances: fc.integer({ min: 1, max: 3 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), sizes, async (steps, { max, instances }) => {
      const { engine, runs } = fakeEngine(max, instances);
      const batcher = createBatcher(engine, noWindow);
      const outcomes: Promise<BatchedResult | string>[] = [];
      const controllers: AbortController[] = [];
      const crashed = new Set<number>();
      const canceled = new Set<number>();
      const ended = new Set<number>();
      const end = async (how: "finish" | "crash") => {
        const index = runs.findIndex((_, i) => !ended.has(i));
        const run = runs[index];
        if (run === undefined) return;
        ended.add(index);
        if (how === "finish") run.finish();
        else for (const mark of run.marks) crashed.add(mark);
        if (how === "crash") run.fail(new Error("crashed"));
        await settled();
      };
      for (const [number, what] of steps.entries()) {
        if (what === "finish" || what === "crash") await end(what);
        else if (what === "cancel") {
          const index = number % Math.max(1, controllers.length);
          canceled.add(index + 1);
          controllers[index]?.abort(new Error("canceled"));
        } else {
          const controller = new AbortController();
          controllers.push(controller);
          const seat = { lane: what, tenant: `t${number % 3}`, signal: controller.signal };
          outcomes.push(classify(batcher, controllers.length, seat).catch((error: Error) => error.message));
          await settled();
        }
      }
      while (ended.size < runs.length) await end("finish");
      const results = await Promise.all(outcomes);
      const isRight = (result: BatchedResult | string, mark: number) => {
        if (result === "crashed") return crashed.has(mark);
        if (result === "canceled") return canceled.has(mark);
        return typeof result !== "string" && result.answer[0] === mark;
      };
      expect(results.filter((result, index) => !isRight(result, index + 1))).toEqual([]);
      expect(runs.every(({ rung }) => rung <= max)).toBe(true);
    }),
    { numRuns: 200 },
  );
}, 60_000);
