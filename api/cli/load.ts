import type { ClassificationMetrics } from "../../shared/contracts/classification.ts";
import type { Client } from "../client/client.ts";
import { TreslineError } from "../client/tresline-error.ts";

/** Requests in hand at most; an image that is due while there are as many is not sent. */
const MAX_IN_HAND = 512;
/** Seconds that a request waits for its labels, the most the service allows. */
const WAIT_S = 60;

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
  client: Client,
  images: readonly Blob[],
  due: readonly number[],
  onProgress: OnProgress,
): Promise<LoadResult> {
  const began = performance.now();
  let inHand = 0;
  let ended = 0;
  const send = async (image: Blob | undefined, dueMs: number): Promise<Ended> => {
    if (image === undefined || inHand >= MAX_IN_HAND)
      return { failure: "not_sent", metrics: {}, latencyMs: null };
    inHand++;
    const outcome = await tryOne(client, image);
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

async function tryOne(client: Client, image: Blob): Promise<Omit<Ended, "latencyMs">> {
  try {
    const { completed_at, error, metrics } = await client.classifications.create(
      image,
      {},
      { waitS: WAIT_S },
    );
    return { failure: completed_at === null ? "timeout" : (error?.code ?? null), metrics };
  } catch (error) {
    if (error instanceof TreslineError) return { failure: error.code, metrics: {} };
    throw error;
  }
}

/** Sends `count` images as one batch and waits until it is completed. Throws TreslineError, `timeout` when it takes more than `seconds`. */
export async function sendAsBatch(
  client: Client,
  images: readonly Blob[],
  { count, seconds }: { count: number; seconds: number },
  onProgress: OnProgress,
): Promise<LoadResult> {
  const urls = await Promise.all(images.map(toDataUrl));
  const items = Array.from({ length: count }, (_, index) => ({
    custom_id: `${index}`,
    image: { data: urls[index % urls.length] ?? "" },
  }));
  const { id, created_at } = await client.batches.create({ items });
  const detail = `${id} was not completed within ${seconds} s; it goes on without this command.`;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TreslineError({ code: "timeout", detail })), seconds * 1_000);
  const { completed_at, error } = await client.batches
    .wait(id, {
      signal: late.signal,
      onProgress: ({ request_counts: { succeeded, failed } }) => onProgress(succeeded + failed),
    })
    .finally(() => clearTimeout(timer));
  if (completed_at === null)
    throw new TreslineError(error ?? { code: "canceled", detail: `Somebody canceled ${id}.` });
  const ended: Ended[] = [];
  for await (const result of client.batches.results(id))
    ended.push({ failure: result.error?.code ?? null, metrics: result.metrics, latencyMs: null });
  return { images: ended, seconds: (Date.parse(completed_at) - Date.parse(created_at)) / 1_000 };
}

const toDataUrl = async (image: Blob) =>
  `data:${image.type};base64,${Buffer.from(await image.arrayBuffer()).toString("base64")}`;
