import type { ClassificationMetrics } from "../../shared/contracts/classification.ts";
import { ServiceError } from "./service.ts";
import type { ImageFile, Service } from "./service.ts";

/** Requests in hand at most; an image that is due while there are as many is not sent. */
const MAX_IN_HAND = 512;
/** Seconds that a request waits for its labels, the most the service allows. */
const WAIT_S = 60;
/** Milliseconds between looks at a batch. */
const POLL_MS = 250;

/** How one image of a load ended. */
export interface Ended {
  /** The code it failed with; null when it was labelled. */
  failure: string | null;
  metrics: ClassificationMetrics;
  /** Milliseconds from when it was due until its labels were there; null for an item of a batch. */
  latencyMs: number | null;
}

/** What became of a load. */
export interface LoadResult {
  /** In the order in which they were due. */
  images: Ended[];
  /** Seconds from the first image until all had ended. */
  seconds: number;
}

/** Told of progress: how many images have ended. */
export type OnProgress = (ended: number) => void;

/** Milliseconds at which the images of a Poisson process are due: gaps that remember nothing, `rate` a second, for `seconds` seconds. */
export function poissonSchedule(rate: number, seconds: number, random: () => number = Math.random): number[] {
  const due: number[] = [];
  for (let at = 0; ;) {
    at += (-Math.log(1 - random()) / rate) * 1000;
    if (at >= seconds * 1000) return due;
    due.push(at);
  }
}

/** An open loop: sends each image when it is due, whether or not earlier ones have ended, so that a slow service is not spared. */
export async function sendWhenDue(
  service: Service,
  images: readonly ImageFile[],
  due: readonly number[],
  onProgress: OnProgress,
): Promise<LoadResult> {
  const began = performance.now();
  let inHand = 0;
  let ended = 0;
  const send = async (image: ImageFile | undefined, dueMs: number): Promise<Ended> => {
    if (image === undefined || inHand >= MAX_IN_HAND)
      return { failure: "not_sent", metrics: {}, latencyMs: null };
    inHand++;
    const outcome = await tryOne(service, image);
    inHand--;
    onProgress(++ended);
    return { ...outcome, latencyMs: performance.now() - began - dueMs };
  };
  const sent: Promise<Ended>[] = [];
  for (const [index, dueMs] of due.entries()) {
    const early = dueMs - (performance.now() - began);
    if (early > 0) await new Promise((wake) => setTimeout(wake, early));
    sent.push(send(images[index % images.length], dueMs));
  }
  return { images: await Promise.all(sent), seconds: (performance.now() - began) / 1000 };
}

async function tryOne(service: Service, image: ImageFile): Promise<Omit<Ended, "latencyMs">> {
  try {
    const { completed_at, error, metrics } = await service.classify(image, WAIT_S);
    return { failure: completed_at === null ? "timeout" : (error?.code ?? null), metrics };
  } catch (error) {
    if (error instanceof ServiceError) return { failure: error.code, metrics: {} };
    throw error;
  }
}

/** Sends `count` images as one batch and waits until it is completed. Throws ServiceError, `timeout` when it takes more than `seconds`. */
export async function sendAsBatch(
  service: Service,
  images: readonly ImageFile[],
  { count, seconds }: { count: number; seconds: number },
  onProgress: OnProgress,
): Promise<LoadResult> {
  const urls = images.map(({ bytes, mediaType }) => `data:${mediaType};base64,${bytes.toString("base64")}`);
  const items = Array.from({ length: count }, (_, index) => ({
    custom_id: `${index}`,
    image: { data: urls[index % urls.length] ?? "" },
  }));
  let batch = await service.createBatch(items);
  const deadline = performance.now() + seconds * 1000;
  while (batch.completed_at === null) {
    if (performance.now() > deadline)
      throw new ServiceError(
        "timeout",
        `${batch.id} was not completed within ${seconds} s; it goes on without this command.`,
      );
    await new Promise((wake) => setTimeout(wake, POLL_MS));
    batch = await service.getBatch(batch.id);
    onProgress(batch.request_counts.succeeded + batch.request_counts.failed);
  }
  const results = await service.getResults(batch.id);
  return {
    images: results.map(({ error, metrics }) => ({ failure: error?.code ?? null, metrics, latencyMs: null })),
    seconds: (Date.parse(batch.completed_at) - Date.parse(batch.created_at)) / 1000,
  };
}
