import type { Client } from "../client/client.ts";
import { TreslineError } from "../client/tresline-error.ts";
import { advise } from "./advise.ts";
import type { Advice } from "./advise.ts";
import { poissonSchedule, sendAsBatch, sendWhenDue } from "./load.ts";
import type { Ended, OnProgress } from "./load.ts";
import { percentile, summarize } from "./summarize.ts";
import type { Summary } from "./summarize.ts";

/** Seconds to wait for the first image, which shows that the service labels at all. */
const FIRST_WAIT_S = 30;
/** Seconds a batch may take. */
const BATCH_SECONDS = 3_600;

/** What to send: so many images a second for so many seconds, or so many as one batch. */
export type Load = { kind: "rate"; rate: number; seconds: number } | { kind: "batch"; count: number };

/** What a load showed. Times are in milliseconds unless they say otherwise. */
export interface BenchResult extends Summary {
  load: Load;
  model: string;
  device: string;
  /** Images that were to be sent, and those of them that were labelled. */
  images: number;
  labelled: number;
  seconds: number;
  imagesPerSecond: number;
  /** From when an image was due until its labels were there; null for a batch. */
  latency: { p50: number; p90: number; p99: number; max: number } | null;
  /** How many images failed with each code, the most frequent first. */
  failures: Record<string, number>;
  advice: Advice;
}

/** Puts a load on a running service and says what it showed. Throws TreslineError when not even one image can be labelled. */
export async function bench(
  client: Client,
  images: readonly Blob[],
  load: Load,
  onProgress: OnProgress,
): Promise<BenchResult> {
  const { model, device } = await labelFirst(client, images);
  const { images: ended, seconds } =
    load.kind === "rate"
      ? await sendWhenDue(client, images, poissonSchedule(load.rate, load.seconds), onProgress)
      : await sendAsBatch(client, images, { count: load.count, seconds: BATCH_SECONDS }, onProgress);
  const labelled = ended.filter(({ failure }) => failure === null);
  const latencies = labelled.flatMap(({ latencyMs }) => latencyMs ?? []);
  const summary = summarize(labelled.map(({ metrics }) => metrics));
  const isBehind = load.kind === "batch" || isGrowing(latencies);
  return {
    load,
    model,
    device,
    images: ended.length,
    labelled: labelled.length,
    seconds,
    imagesPerSecond: labelled.length / seconds,
    latency: latencies.length === 0 ? null : latencyOf(latencies),
    ...summary,
    failures: countFailures(ended),
    advice: advise({ ...summary, device, isBehind }),
  };
}

/** Warms the service up, and finds out before the load whether the key, the image and the worker are there. */
async function labelFirst(
  client: Client,
  [image]: readonly Blob[],
): Promise<{ model: string; device: string }> {
  if (image === undefined) throw new Error("A load has at least one image. This is a bug.");
  const { model, device, error, completed_at } = await client.classifications.create(
    image,
    {},
    { waitS: FIRST_WAIT_S },
  );
  if (completed_at === null)
    throw new TreslineError({
      code: "timeout",
      detail: `The first image was accepted and not labelled within ${FIRST_WAIT_S} s; does a worker serve ${model}?`,
    });
  if (error !== null)
    throw new TreslineError({
      code: error.code,
      detail: `The first image cannot be labelled: ${error.detail}`,
    });
  return { model, device: device ?? "unknown" };
}

/** Whether the last quarter of the images waited twice as long as the first, and longer by 50 ms or more. */
function isGrowing(latencies: readonly number[]): boolean {
  const quarter = Math.ceil(latencies.length / 4);
  const first = percentile(latencies.slice(0, quarter), 0.5);
  const last = percentile(latencies.slice(-quarter), 0.5);
  return last > 2 * first && last > first + 50;
}

const latencyOf = (values: readonly number[]) => ({
  p50: percentile(values, 0.5),
  p90: percentile(values, 0.9),
  p99: percentile(values, 0.99),
  max: percentile(values, 1),
});

function countFailures(ended: readonly Ended[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { failure } of ended) if (failure !== null) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  return Object.fromEntries([...counts].toSorted(([, a], [, b]) => b - a));
}
