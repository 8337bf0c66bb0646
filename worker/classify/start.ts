import pLimit from "p-limit";
import { ClassifyObjectPayload, ClassifyPayload } from "../../shared/contracts/queue-payloads.ts";
import { queueNames } from "../../shared/queue.ts";
import { openRedis } from "../../shared/redis.ts";
import { Lane } from "../../shared/contracts/lane.ts";
import type { LabelWriter } from "../../shared/storage/label-writer.ts";
import { openLabelWriter } from "../../shared/storage/s3-label-writer.ts";
import { openCanceledFeed } from "../../shared/state/canceled-feed.ts";
import type { CanceledFeed } from "../../shared/state/canceled-feed.ts";
import type { Announced } from "../announce-worker.ts";
import { consume } from "../consume.ts";
import type { Attempt, Consuming } from "../consume.ts";
import { stopAll } from "../stop-all.ts";
import { askNvidia } from "../doctor/nvidia.ts";
import { startEngine } from "../engine/engine.ts";
import { createDecoder } from "../image/decoder.ts";
import { runObject } from "../label/run-object.ts";
import { createSafeFetch } from "../net/safe-fetch.ts";
import type { WorkerDeps } from "../start.ts";
import { createBatcher } from "./batcher.ts";
import { classifyChunk } from "./classify-chunk.ts";
import type { Labelling } from "./classify-image.ts";
import { countImages } from "./count-images.ts";
import { keepAnnouncing } from "./keep-announcing.ts";
import { openServedModel } from "./open-served-model.ts";
import { createQuarantine } from "./quarantine.ts";
import type { Quarantine } from "./quarantine.ts";
import { runClassification } from "./run-classification.ts";

/**
 * Jobs in hand: interactive jobs are images; bulk jobs are mostly chunks, of which a bounded number of images is in hand: 8
 * fill the micro-batches of a GPU, and others wait for Redis meanwhile. All are suspects when the worker is killed.
 */
const CONCURRENCY: Record<Lane, number> = { interactive: 128, bulk: 12 };
/** Objects in hand that events told of: each waits mostly for S3, half a dozen times. */
const OBJECTS_IN_HAND = 32;
/** Bulk images in hand, in micro-batches: one runs, one waits for it and two are fetched and decoded. */
const BULK_MICRO_BATCHES_IN_HAND = 4;

/** What the handlers of the `classify` role work with. */
export interface ClassifyDeps extends Pick<
  WorkerDeps,
  "redis" | "storage" | "buckets" | "queues" | "logger" | "metrics" | "tracer"
> {
  labelWriter: LabelWriter;
  labelling: Labelling;
  quarantine: Quarantine;
  canceled: CanceledFeed;
  model: { name: string; digest: string; device: string };
}

/** Starts the `classify` role: opens the model, warms the engine, announces the model and takes jobs from its queues. */
export async function startClassify(
  deps: WorkerDeps & { announced: Pick<Announced, "serve"> },
): Promise<Consuming> {
  const { config, redis, logger, metrics } = deps;
  const { name, manifest, labels, onnxPath } = await openServedModel(config, logger);
  const [rows, columns] = manifest.input.size;
  const device = config.DEVICE;
  const engine = await startEngine({
    onnxPath,
    device,
    instances: config.ENGINE_INSTANCES,
    maxBatchSize: config.MAX_BATCH_SIZE,
    size: [rows, columns],
    topK: manifest.top_k,
    logger,
    onLost: metrics.instanceLost,
    onCrash: deps.onCrash,
  });
  metrics.engineStarted({ name, digest: manifest.digest, device }, config.ENGINE_INSTANCES);
  if (device === "cuda") metrics.watchGpus(askNvidia);
  const safeFetch = createSafeFetch({ allowedPrivateNetworks: config.ALLOWED_PRIVATE_NETWORKS });
  const labelWriter = await openLabelWriter(config.S3_SOURCE_BUCKETS, {
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
  });
  const canceled = openCanceledFeed(
    openRedis(config.REDIS_URL, "wait", (err) => logger.error({ err }, "Redis trouble")),
  );
  const { batcher, counts } = countImages(
    createBatcher(engine, { maxWaitMs: config.BATCH_MAX_WAIT_MS, onRan: metrics.microBatchRan }),
  );
  const quarantine = createQuarantine(redis);
  const classifyDeps: ClassifyDeps = {
    ...deps,
    labelWriter,
    quarantine,
    canceled,
    model: { name, digest: manifest.digest, device },
    labelling: {
      labels,
      metrics,
      batcher,
      decode: createDecoder({
        size: [rows, columns],
        cropMode: manifest.preprocess.crop_mode,
        cropPct: manifest.preprocess.crop_pct,
        interpolation: manifest.preprocess.interpolation,
        maxPixels: config.MAX_IMAGE_PIXELS,
      }),
      sources: {
        safeFetch,
        storage: deps.storage,
        buckets: deps.buckets,
        maxBytes: config.MAX_IMAGE_BYTES,
      },
    },
  };
  const served = {
    name,
    digest: manifest.digest,
    num_classes: manifest.num_classes,
    device,
    input_size: [rows, columns] satisfies [number, number],
  };
  const announcing = await keepAnnouncing(redis, served, labels);
  deps.announced.serve(
    { model: name, model_digest: manifest.digest, device, engine_instances: config.ENGINE_INSTANCES },
    counts,
  );
  logger.info({ model: name, digest: manifest.digest, device }, "model ready");

  const consuming = takeJobs(deps, classifyDeps, config.MAX_BATCH_SIZE);
  const stop: Consuming["stop"] = async (deadline) => {
    announcing.stop();
    const stopped = await consuming.stop(deadline);
    await quarantine.acquit();
    await engine.close();
    return stopped;
  };
  return {
    stop,
    async close() {
      await stop();
      canceled.close();
      await safeFetch.close();
      await labelWriter.close();
    },
  };
}

/** Takes jobs from the queues of the model. `maxBatchSize` bounds the images in hand. */
export function takeJobs(
  deps: Pick<WorkerDeps, "redis" | "logger" | "metrics">,
  classifyDeps: ClassifyDeps,
  maxBatchSize: number,
): Consuming {
  const inHand = pLimit(BULK_MICRO_BATCHES_IN_HAND * maxBatchSize);
  const handle = (payload: ClassifyPayload, attempt: Attempt): Promise<void> =>
    payload.kind === "image"
      ? runClassification(payload, attempt, classifyDeps)
      : classifyChunk(payload, attempt, { ...classifyDeps, inHand });
  const { name } = classifyDeps.model;
  const consuming = Lane.options.map((lane) =>
    consume(deps, {
      queue: queueNames.classify(name, lane),
      payload: ClassifyPayload,
      concurrency: CONCURRENCY[lane],
      handle,
    }),
  );
  consuming.push(
    consume(deps, {
      queue: queueNames.objects(name),
      payload: ClassifyObjectPayload,
      concurrency: OBJECTS_IN_HAND,
      handle: (payload, attempt) => inHand(() => runObject(payload, attempt, classifyDeps)),
    }),
  );
  return {
    stop: (deadline) => stopAll(consuming, deadline),
    close: async () => {
      await Promise.all(consuming.map((each) => each.close()));
    },
  };
}
