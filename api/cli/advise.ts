import type { Summary } from "./summarize.ts";

/** What a load showed of a service. */
export interface Showing extends Summary {
  /** What the model runs on, such as `cpu`. */
  device: string;
  /** Whether the service fell behind: a batch always waits for it, single images when their latency grew all the time. */
  isBehind: boolean;
}

/** One change to make, or none, and why. */
export interface Advice {
  change: string;
  reason: string;
}

/** A micro-batch this full, on average and of the largest that was seen, counts as full. */
const FULL = 0.75;

/** What would make the service faster: images pile up before the stage that is the bottleneck, so that is where they spend their time. */
export function advise({ device, isBehind, meanSize, microBatches, stages }: Showing): Advice {
  const largest = microBatches.at(-1)?.size ?? 0;
  if (largest === 0)
    return { change: "none", reason: "No image was labelled, so there is nothing to go by." };
  const held = `Micro-batches hold ${meanSize.toFixed(1)} images on average, ${largest} at most`;
  if (!isBehind)
    return {
      change: "none",
      reason: `The service keeps up: latency does not grow. ${held}. Try a higher --rate to find the limit.`,
    };
  const { fetch_ms: fetch = 0, decode_ms: decode = 0, batch_wait_ms: wait = 0 } = stages;
  const engine = wait + (stages.inference_ms ?? 0);
  const times = `An image spends ${ms(fetch)} on being fetched, ${ms(decode)} on being decoded and ${ms(engine)} on the engine`;
  if (fetch >= Math.max(decode, engine))
    return {
      change: "bring the images nearer to the workers, or run more workers",
      reason: `${times}: fetching is the bottleneck.`,
    };
  if (decode >= engine)
    return {
      change: "give workers more cores, or run more workers",
      reason: `${times}: decoding is the bottleneck.`,
    };
  if (device === "cpu")
    return {
      change: "give workers more cores, run more workers, or use a GPU",
      reason: `${times}: the model is the bottleneck. ${held}.`,
    };
  if (meanSize >= FULL * largest)
    return {
      change: `MAX_BATCH_SIZE=${2 * largest}; when that gains nothing, more workers, each with a GPU`,
      reason: `${times}: the model is the bottleneck. ${held}: they are full.`,
    };
  return {
    change: "ENGINE_INSTANCES=2",
    reason: `${times}: the model is the bottleneck. ${held}: the device has room for another beside.`,
  };
}

const ms = (value: number) => `${Math.round(value)} ms`;
