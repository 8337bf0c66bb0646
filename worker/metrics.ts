import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Classification } from "../shared/contracts/classification.ts";
import type { ItemError } from "../shared/contracts/error.ts";
import type { Lane } from "../shared/contracts/lane.ts";
import { askSeldom } from "./ask-seldom.ts";
import { tellBacklog, tellGpus } from "./asked-gauges.ts";
import type { RanMicroBatch } from "./classify/batcher.ts";
import type { Failure, Nvidia } from "./doctor/diagnosis.ts";
import { QuickHistogram } from "./quick-histogram.ts";
import type { Series } from "./quick-histogram.ts";
import type { Backlog } from "./read-backlog.ts";

/** The upper bounds of what is measured in seconds: of an image, of an attempt, of a job. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Those of images in a micro-batch: the rungs of the ladder. */
const IMAGES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Those of how full a micro-batch is: mostly more than half, since it would have a smaller rung otherwise. */
const FILLS = [0.5, 0.6, 0.7, 0.8, 0.9, 1];
/** The stages of an image that its result tells of. */
const STAGES = ["fetch", "decode", "batch_wait", "inference"] as const;

/** How an image ended, as far as it is counted. */
interface ImageEnd {
  status: string;
  error?: Pick<ItemError, "code"> | null;
}

/**
 * The metrics of a worker, all of them: each method is called where the worker does what it counts, with milliseconds. What
 * others know, Redis and the GPU's driver, is asked for when somebody scrapes.
 */
export function createMetrics() {
  const registry = new Registry();
  const { counter, gauge, histogram, quickHistogram } = makersOf(registry);

  const images = counter(
    "tresline_images_total",
    "Images that ended, by how; `reason` is the error code of those without labels.",
    ["lane", "outcome", "reason"],
  );
  const stageSeconds = quickHistogram(
    "tresline_stage_seconds",
    "Where the time of images went: `queue` (of those that are no part of a batch), `fetch`, `decode`, `batch_wait`, `inference`, and `store` (of a chunk's images together).",
    SECONDS,
    ["lane", "stage"],
  );
  const chunks = counter("tresline_chunks_total", "Chunks of batches whose results were stored.");
  const batches = counter("tresline_batches_total", "Batches and runs that ended, by how.", ["outcome"]);
  const objects = counter(
    "tresline_objects_total",
    "Objects of labelers that ended, by how; `mode` is `live` where an event told of them, else the run's.",
    ["mode", "outcome"],
  );
  const microBatchImages = histogram(
    "tresline_micro_batch_images",
    "Images in a micro-batch, padding not counted.",
    IMAGES,
  );
  const microBatchFill = histogram(
    "tresline_micro_batch_fill_ratio",
    "Images in a micro-batch over the rung it was padded to.",
    FILLS,
  );
  const engineSeconds = histogram(
    "tresline_engine_seconds",
    "How long the engine ran on a micro-batch, by its rung.",
    SECONDS,
    ["rung"],
  );
  const instances = gauge("tresline_engine_instances", "Sessions of the engine that run side by side.");
  const instancesLost = counter(
    "tresline_engine_instances_lost_total",
    "Threads of the engine that ended by themselves or hung.",
  );
  const info = gauge("tresline_model_info", "What labels images; always 1.", ["model", "digest", "device"]);
  const jobSeconds = quickHistogram(
    "tresline_job_seconds",
    "How long a job was in hand, each try by itself.",
    SECONDS,
    ["queue"],
  );
  const jobsFailed = counter(
    "tresline_jobs_failed_total",
    "Tries of jobs that threw: `retried` later, or `given_up`.",
    ["queue", "outcome"],
  );
  const jobsStalled = counter(
    "tresline_jobs_stalled_total",
    "Jobs that were taken over from a worker that is gone.",
    ["queue"],
  );
  const attempts = counter(
    "tresline_webhook_attempts_total",
    "Attempts to deliver a message: `delivered`, to `retry`, or `gone` where the receiver answered 410.",
    ["outcome"],
  );
  const attemptSeconds = histogram(
    "tresline_webhook_attempt_seconds",
    "How long an attempt took, to the last byte of the answer.",
    SECONDS,
  );
  const messages = counter(
    "tresline_webhook_messages_total",
    "Messages that ended: `delivered`, `failed`, or `not_sent` to a receiver that wants none.",
    ["outcome"],
  );
  // What may happen and has not is 0, so that its first time is an increase.
  for (const outcome of ["delivered", "retry", "gone"]) attempts.inc({ outcome }, 0);
  for (const outcome of ["delivered", "failed", "not_sent"]) messages.inc({ outcome }, 0);

  const stagesIn = (lane: Lane) => {
    const series = (stage: string) => stageSeconds.series({ lane, stage });
    const told = STAGES.map((stage) => ({ field: `${stage}_ms` as const, seconds: series(stage) }));
    return { told, queue: series("queue"), store: series("store") };
  };
  const stagesOf = { interactive: stagesIn("interactive"), bulk: stagesIn("bulk") };
  const jobsOf = new Map<string, Series>();
  const imageEnded = (lane: Lane, { status, error }: ImageEnd, count = 1) =>
    images.inc({ lane, outcome: status, reason: error?.code ?? "" }, count);
  const stageTook = (lane: Lane, stage: "queue" | "store", ms: number) =>
    stagesOf[lane][stage].observe(ms / 1_000);

  return {
    registry,
    imageEnded,
    imageLabelled(lane: Lane, took: Record<`${(typeof STAGES)[number]}_ms`, number>) {
      for (const { field, seconds } of stagesOf[lane].told) seconds.observe(took[field] / 1_000);
    },
    imageStored(lane: Lane, image: Classification, storeMs: number) {
      imageEnded(lane, image);
      stageTook(lane, "queue", image.metrics.queue_ms ?? 0);
      stageTook(lane, "store", storeMs);
    },
    chunkStored(results: readonly ImageEnd[], storeMs: number) {
      chunks.inc();
      stageTook("bulk", "store", storeMs);
      // Almost all of a chunk's images end alike: they are counted together.
      const alike = Map.groupBy(results, ({ status, error }) => `${status} ${error?.code ?? ""}`);
      for (const [first, ...more] of alike.values()) if (first) imageEnded("bulk", first, 1 + more.length);
    },
    batchEnded: (outcome: string) => batches.inc({ outcome }),
    objectEnded: (mode: string, outcome: string) => objects.inc({ mode, outcome }),
    microBatchRan: ({ images: count, rung, inferenceMs }: RanMicroBatch) => {
      microBatchImages.observe(count);
      microBatchFill.observe(count / rung);
      engineSeconds.observe({ rung }, inferenceMs / 1_000);
    },
    engineStarted(served: { name: string; digest: string; device: string }, count: number) {
      instances.set(count);
      info.set({ model: served.name, digest: served.digest, device: served.device }, 1);
    },
    instanceLost: () => instancesLost.inc(),
    /** Begins to count the jobs of a queue at 0, so that the first that fails is an increase. */
    countJobs(queue: string) {
      for (const outcome of ["retried", "given_up"]) jobsFailed.inc({ queue, outcome }, 0);
      jobsStalled.inc({ queue }, 0);
      if (!jobsOf.has(queue)) jobsOf.set(queue, jobSeconds.series({ queue }));
    },
    /** Of a queue whose jobs are counted. */
    jobTook: (queue: string, ms: number) => jobsOf.get(queue)?.observe(ms / 1_000),
    jobFailed: (queue: string, isGivenUp: boolean) =>
      jobsFailed.inc({ queue, outcome: isGivenUp ? "given_up" : "retried" }),
    jobStalled: (queue: string) => jobsStalled.inc({ queue }),
    attemptMade(outcome: string, ms: number) {
      attempts.inc({ outcome });
      attemptSeconds.observe(ms / 1_000);
    },
    messageEnded: (outcome: string) => messages.inc({ outcome }),
    /** Tells what waits whenever somebody scrapes. */
    watchBacklog: (ask: () => Promise<Backlog>) => tellBacklog(registry, askSeldom(ask)),
    /** Tells how full the memory of the GPUs is whenever somebody scrapes. */
    watchGpus: (ask: () => Promise<Nvidia | Failure>) => tellGpus(registry, askSeldom(ask)),
  };
}

/** The metrics of a worker. */
export type WorkerMetrics = ReturnType<typeof createMetrics>;

function makersOf(registry: Registry) {
  const registers = [registry];
  return {
    counter: <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
      new Counter({ name, help, labelNames, registers }),
    gauge: <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
      new Gauge({ name, help, labelNames, registers }),
    histogram: <Label extends string>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly Label[] = [],
    ) => new Histogram({ name, help, buckets, labelNames, registers }),
    quickHistogram: <Label extends string>(
      name: string,
      help: string,
      buckets: number[],
      labelNames: readonly Label[],
    ) => new QuickHistogram({ name, help, buckets, labelNames, registers }),
  };
}
