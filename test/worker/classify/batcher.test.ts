import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBatcher } from "../../../worker/classify/batcher.ts";
import type { Engine, MicroBatchResult } from "../../../worker/engine/engine.ts";

/** An image of one pixel whose first byte tells it from others. */
const image = (mark: number) => Uint8Array.of(mark, 0, 0);
const marksOf = (images: readonly Uint8Array[]) => images.map(([mark]) => mark);

/** An engine whose micro-batches end when the test says so; a row of scores is the mark of its image. */
function engineByHand(maxBatchSize = 4) {
  const runs: {
    marks: (number | undefined)[];
    finish: () => void;
    fail: (error: Error) => void;
    rows: (n: number) => void;
  }[] = [];
  const engine: Engine = {
    maxBatchSize,
    run: (images) =>
      new Promise<MicroBatchResult>((resolve, reject) => {
        const marks = marksOf(images);
        const rows = (count: number) =>
          resolve({
            inferenceMs: 5,
            scores: marks.slice(0, count).map((mark) => Float32Array.of(mark ?? NaN)),
          });
        runs.push({ marks, rows, finish: () => rows(marks.length), fail: reject });
      }),
    close: async () => {},
  };
  return { engine, runs };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("micro-batches", () => {
  test("a single image is run at once, not kept waiting for others", () => {
    const { engine, runs } = engineByHand();
    void createBatcher(engine).classify(image(1));
    expect(runs.map(({ marks }) => marks)).toEqual([[1]]);
  });

  test("what arrives while one runs makes up the next, in the order of arrival", async () => {
    const { engine, runs } = engineByHand();
    const batcher = createBatcher(engine);
    const results = [1, 2, 3].map((mark) => batcher.classify(image(mark)));
    await settled();
    expect(runs).toHaveLength(1);
    runs[0]?.finish();
    await settled();
    expect(runs.map(({ marks }) => marks)).toEqual([[1], [2, 3]]);
    runs[1]?.finish();
    const [first, second, third] = await Promise.all(results);
    expect([first, second, third].map((result) => result?.scores[0])).toEqual([1, 2, 3]);
    expect([first, second, third].map((result) => result?.batchSize)).toEqual([1, 2, 2]);
    expect(second).toMatchObject({ inferenceMs: 5, batchWaitMs: expect.toSatisfy((ms: number) => ms >= 0) });
  });

  test("no micro-batch is larger than the engine takes", async () => {
    const { engine, runs } = engineByHand(4);
    const batcher = createBatcher(engine);
    const results = Array.from({ length: 11 }, (_, mark) => batcher.classify(image(mark)));
    for (let i = 0; i < 4; i++) {
      runs[i]?.finish();
      await settled();
    }
    expect(runs.map(({ marks }) => marks)).toEqual([[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]);
    await Promise.all(results);
  });

  test("a failure of the engine is that of its micro-batch alone, and the next one runs", async () => {
    const { engine, runs } = engineByHand();
    const batcher = createBatcher(engine);
    const results = Promise.allSettled([1, 2, 3].map((mark) => batcher.classify(image(mark))));
    const failure = new Error("out of memory");
    runs[0]?.fail(failure);
    await settled();
    runs[1]?.finish();
    const [first, second, third] = await results;
    expect(first).toEqual({ status: "rejected", reason: failure });
    expect([second?.status, third?.status]).toEqual(["fulfilled", "fulfilled"]);
    const later = batcher.classify(image(4));
    runs[2]?.finish();
    expect((await later).scores).toEqual(Float32Array.of(4));
  });

  test("an engine that throws instead of rejecting is a failure of the micro-batch too", async () => {
    const { engine } = engineByHand();
    const broken: Engine = {
      ...engine,
      run: () => {
        throw new RangeError("offset is out of bounds");
      },
    };
    await expect(createBatcher(broken).classify(image(1))).rejects.toThrow(RangeError);
  });

  test("fewer rows than images fail the micro-batch instead of going to the wrong images", async () => {
    const { engine, runs } = engineByHand();
    const batcher = createBatcher(engine);
    const results = Promise.allSettled([1, 2, 3].map((mark) => batcher.classify(image(mark))));
    runs[0]?.finish();
    await settled();
    runs[1]?.rows(1);
    const [first, ...others] = await results;
    expect(first?.status).toBe("fulfilled");
    for (const other of others)
      expect(other).toMatchObject({
        status: "rejected",
        reason: { message: "The engine answered 1 rows for 2 images. This is a bug." },
      });
  });
});

test("in any order of arrivals and failures every image settles exactly once, with its own row", async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant("arrive" as const) },
    { weight: 2, arbitrary: fc.constantFrom("finish" as const, "fail" as const) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      async (steps, max) => {
        const { engine, runs } = engineByHand(max);
        const batcher = createBatcher(engine);
        const outcomes: Promise<void>[] = [];
        const settlements: (number | "failed")[][] = [];
        const failed = new Set<number>();
        let ended = 0;
        const end = async (how: "finish" | "fail") => {
          const run = runs[ended];
          if (run === undefined) return;
          ended++;
          if (how === "fail") for (const mark of run.marks) failed.add(mark ?? NaN);
          if (how === "fail") run.fail(new Error("planned"));
          else run.finish();
          await settled();
        };
        for (const what of steps)
          if (what === "arrive") {
            const mark = settlements.push([]) - 1;
            outcomes.push(
              batcher.classify(image(mark)).then(
                ({ scores }) => void settlements[mark]?.push(scores[0] ?? NaN),
                () => void settlements[mark]?.push("failed"),
              ),
            );
          } else await end(what);
        while (ended < runs.length) await end("finish");
        await Promise.all(outcomes);
        expect(settlements).toEqual(settlements.map((_, mark) => [failed.has(mark) ? "failed" : mark]));
        expect(runs.every(({ marks }) => marks.length >= 1 && marks.length <= max)).toBe(true);
      },
    ),
  );
});
