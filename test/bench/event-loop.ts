import { setTimeout as sleep } from "node:timers/promises";
import { medianOf } from "./support/bench.ts";
import type { Figure } from "./support/bench.ts";
import { enqueueChunks, enqueueImages, openBench, storeJpegs } from "./support/pipeline.ts";
import { startWorkerProcess } from "./support/worker-process.ts";

const MODEL = "figures";
const ROUNDS = 5;
const SECONDS = 6;
/** More than the worker does in all rounds. */
const [BULK, INTERACTIVE] = [20_000, 10_000];

/** How late the worker's event loop is while both its queues are full: it renews the locks of jobs and answers health checks. */
export async function eventLoop(): Promise<Figure[]> {
  const deps = await openBench({ MODEL });
  try {
    const keys = (await storeJpegs(deps.storage, 64)).map(({ key }) => key);
    await enqueueChunks(deps, MODEL, keys, BULK);
    await enqueueImages(deps.queues, MODEL, keys, INTERACTIVE);
    const worker = await startWorkerProcess(deps);
    await sleep(SECONDS * 1000);
    await worker.vitals();
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(SECONDS * 1000);
      rounds.push((await worker.vitals()).lag);
    }
    const [chunksLeft, imagesLeft] = [await worker.jobsLeft("bulk"), await worker.jobsLeft("interactive")];
    await worker.stop();
    if (chunksLeft === 0 || imagesLeft === 0)
      throw new Error("The worker ran out of work: enqueue more images.");
    return [
      {
        name: "event-loop lag of the worker under full load, p99",
        what: `perf_hooks.monitorEventLoopDelay at a resolution of 1 ms, which is a part of the figure, in a worker process over ${SECONDS} s a round`,
        ...medianOf(rounds.map(({ p99 }) => p99)),
        unit: "ms",
        goal: { atMost: 20 },
        beside: {
          "p50 ms": medianOf(rounds.map(({ p50 }) => p50)).value,
          "max ms": Math.max(...rounds.map(({ max }) => max)),
          "bulk images done": BULK - 64 * chunksLeft,
          "interactive images done": INTERACTIVE - imagesLeft,
        },
      },
    ];
  } finally {
    await deps.stop();
  }
}
