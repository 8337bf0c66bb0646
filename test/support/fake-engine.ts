import type { Engine } from "../../worker/engine/engine.ts";
import { ladder } from "../../worker/engine/ladder.ts";
import { createSlab } from "../../worker/engine/slab.ts";

/** One micro-batch that a fake engine was given and the test ends. */
export interface FakeRun {
  rung: number;
  /** The first byte of each row, padding included. */
  marks: number[];
  /** Ends it: each row's single score is its mark. */
  finish: (inferenceMs?: number) => void;
  fail: (error: Error) => void;
}

/** An image of one pixel whose first byte tells it from others. */
export const markedImage = (mark: number): Uint8Array => Uint8Array.of(mark, 0, 0);

/** An engine of images of one pixel, whose micro-batches end when the test says so; `costMs` is what each rung takes, in milliseconds. */
export function fakeEngine(
  maxBatchSize = 4,
  instances = 1,
  costMs: (rung: number) => number = () => 10,
): { engine: Engine; runs: FakeRun[] } {
  const runs: FakeRun[] = [];
  const rungs = ladder(maxBatchSize);
  const engine: Engine = {
    rungs,
    instances,
    warmMs: rungs.map(costMs),
    createSlab: () => createSlab(maxBatchSize, { size: [1, 1], topK: 1 }),
    run({ memory }, rung) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const marks = Array.from({ length: rung }, (_, row) => new Uint8Array(memory.pixels)[row * 3] ?? 0);
      const finish = (inferenceMs = costMs(rung)) => {
        for (const [row, mark] of marks.entries()) new Float32Array(memory.answers)[2 * row] = mark;
        resolve(inferenceMs);
      };
      runs.push({ rung, marks, finish, fail: reject });
      return promise;
    },
    close: async () => {},
  };
  return { engine, runs };
}
