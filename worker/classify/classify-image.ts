import type { ClassificationMetrics } from "../../shared/contracts/classification.ts";
import type { ImagePointer } from "../../shared/contracts/image.ts";
import type { Prediction } from "../../shared/contracts/prediction.ts";
import { fetchImage } from "../image/fetch-image.ts";
import type { ImageSources } from "../image/fetch-image.ts";
import type { Decoder } from "../image/decoder.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Batcher, Seat } from "./batcher.ts";
import { rank } from "./rank.ts";

/** The model a worker serves and all that labelling an image with it takes. */
export interface Labelling {
  sources: ImageSources;
  batcher: Batcher;
  decode: Decoder;
  /** The names of the model's classes, by their numbers. */
  labels: readonly string[];
  metrics: Pick<WorkerMetrics, "imageLabelled">;
}

/** What labelling one image gave, and where the time went. */
export interface Labelled {
  predictions: Prediction[];
  metrics: Required<Omit<ClassificationMetrics, "queue_ms" | "total_ms">>;
  /** Of the image's file. */
  bytes: number;
}

/**
 * The life of one image: fetch it, decode it, run the model on it together with others, rank its classes.
 * @throws PermanentError when it can never work; anything else may be tried again
 */
export async function classifyImage(
  image: ImagePointer,
  seat: Seat,
  { topK, threshold }: { topK: number; threshold: number },
  { sources, decode, batcher, labels, metrics }: Labelling,
): Promise<Labelled> {
  const began = performance.now();
  let fetched = began;
  let decoded = began;
  let bytes = 0;
  const { answer, batchWaitMs, inferenceMs, batchSize } = await batcher.classify(seat, async () => {
    const file = await fetchImage(image, sources, seat.signal);
    fetched = performance.now();
    bytes = file.byteLength;
    const pixels = await decode(file, seat.lane);
    decoded = performance.now();
    return pixels;
  });
  const took = {
    fetch_ms: tenths(fetched - began),
    decode_ms: tenths(decoded - fetched),
    batch_wait_ms: tenths(batchWaitMs),
    inference_ms: tenths(inferenceMs),
  };
  metrics.imageLabelled(seat.lane, took);
  return {
    predictions: rank(answer, labels, topK, threshold),
    metrics: { ...took, batch_size: batchSize },
    bytes,
  };
}

const tenths = (ms: number) => Math.round(ms * 10) / 10;
