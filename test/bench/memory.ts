import { setTimeout as sleep } from "node:timers/promises";
import type { Figure } from "./support/bench.ts";
import { enqueueChunks, openBench, storeJpegs } from "./support/pipeline.ts";
import { startWorkerProcess } from "./support/worker-process.ts";
import type { WorkerProcess } from "./support/worker-process.ts";

const MODEL = "cifar10";
// As many to warm up as are measured, as in the soak: V8 takes minutes of load to find how large its heap is to be.
const [WARM_UP, IMAGES, STEP] = [50_000, 50_000, 1_000];
const POLL_MS = 50;
const MB = 1e6;

/** The resident memory of a worker process over many images. */
export async function memory(): Promise<Figure[]> {
  const deps = await openBench({ MODEL });
  try {
    const keys = (await storeJpegs(deps.storage, 64, [64, 64])).map(({ key }) => key);
    await enqueueChunks(deps, MODEL, keys, WARM_UP + IMAGES);
    const worker = await startWorkerProcess(deps);
    const series = await follow(worker);
    await worker.stop();
    const sizes = series.slice(WARM_UP / STEP).map(([, megabytes]) => megabytes);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
    return [
      {
        name: `resident memory of the worker over ${IMAGES.toLocaleString("en")} images`,
        what: `half the distance between the least and the most of its process, over the middle, after ${WARM_UP} images, looked at every ${STEP}`,
        value: (100 * (most - least)) / (most + least),
        unit: "%",
        goal: { atMost: 5 },
        beside: {
          "least MB": least,
          "most MB": most,
          "first MB": sizes[0] ?? NaN,
          "last MB": sizes.at(-1) ?? NaN,
        },
        curve: {
          plot: "memory",
          title: "Resident memory of a worker",
          x: "images labelled",
          y: "MB",
          line: MODEL,
          points: series,
        },
      },
    ];
  } finally {
    await deps.stop();
  }
}

/** Resident megabytes after every step of images, warm-up included. */
async function follow(worker: WorkerProcess): Promise<[images: number, megabytes: number][]> {
  const series: [number, number][] = [];
  while (series.length < (WARM_UP + IMAGES) / STEP) {
    const next = (series.length + 1) * STEP;
    while (WARM_UP + IMAGES - 64 * (await worker.jobsLeft("bulk")) < next) await sleep(POLL_MS);
    series.push([next, (await worker.vitals()).rss / MB]);
  }
  return series;
}
