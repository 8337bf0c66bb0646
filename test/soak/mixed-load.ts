import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../api/client/client.ts";
import { TreslineError } from "../../api/client/tresline-error.ts";
import { poissonSchedule } from "../../api/cli/load.ts";
import type { Progress } from "../../api/cli/open-progress.ts";

/** Single images a second. */
const IMAGES_PER_S = 10;
/** Seconds between two batches, and the items of each. */
const [BATCH_EVERY_S, BATCH_ITEMS] = [10, 200];
/** Seconds that an image may take to end after the load has, and a batch to be completed. */
const PATIENCE_S = 60;
/** Of so many images one is broken, one is watched as it goes, one is canceled. */
const [BROKEN, WATCHED, CANCELED] = [20, 10, 25];

/** What a load is made of. */
export interface MixedLoad {
  client: Client;
  images: readonly Blob[];
  /** Where the callbacks of all of them go. */
  webhook: string;
  /** Aborted by the first that does not end as it should, with the reason; whoever started the load may abort it too. */
  stop: AbortController;
}

/** How many of what was sent have ended, and how. */
export interface Ended {
  succeeded: number;
  failed: number;
  canceled: number;
  batches: number;
}

/**
 * Sends single images at random moments, some of them broken, watched or canceled, and a batch every ten seconds, for so many
 * seconds, and returns when all have ended. `ended` is counted up on the way. Throws when one does not end, or a batch is not whole.
 */
export async function sendMixedLoad(
  load: MixedLoad,
  seconds: number,
  ended: Ended,
  progress: Progress,
): Promise<void> {
  const began = performance.now();
  const { signal } = load.stop;
  const until = (ms: number) => sleep(Math.max(0, began + ms - performance.now()), undefined, { signal });
  const expected = seconds * (IMAGES_PER_S + BATCH_ITEMS / BATCH_EVERY_S);
  const tell = () => {
    const { succeeded, failed, canceled, batches } = ended;
    progress.update(Math.min(succeeded + failed + canceled + batches * BATCH_ITEMS, expected), expected);
  };
  const singles = async () => {
    const sent: Promise<void>[] = [];
    for (const [number, due] of poissonSchedule(IMAGES_PER_S, seconds).entries()) {
      await until(due);
      const sending = sendImage(load, number, ended).then(tell);
      sending.catch((error: unknown) => load.stop.abort(error));
      sent.push(sending);
    }
    await Promise.all(sent);
  };
  const batches = async () => {
    for (let at = 0; at < seconds; at += BATCH_EVERY_S) {
      await until(at * 1_000);
      await sendBatch(load, ended);
    }
  };
  try {
    await Promise.all([singles(), batches()]);
  } catch (error) {
    load.stop.abort(error);
    throw signal.reason;
  }
}

async function sendImage(
  { client, images, webhook, stop: { signal } }: MixedLoad,
  number: number,
  ended: Ended,
): Promise<void> {
  const { classifications } = client;
  const broken = new Blob(["no picture"], { type: "image/png" });
  const image = number % BROKEN === 0 ? broken : images[number % images.length];
  const { id } = await classifications.create(image ?? broken, { webhook }, { signal });
  if (number % CANCELED === 1) await classifications.cancel(id, { signal }).catch(unlessItHasEnded);
  if (number % WATCHED === 2)
    for await (const seen of classifications.watch(id, { signal })) if (seen.completed_at !== null) break;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_S * 1_000)]);
  const { status } = await classifications.wait(id, { signal: patience });
  if (status !== "succeeded" && status !== "failed" && status !== "canceled")
    throw new Error(`${id} ended as ${status}.`);
  ended[status]++;
}

function unlessItHasEnded(error: unknown): void {
  if (!(error instanceof TreslineError && error.code === "conflict")) throw error;
}

async function sendBatch(
  { client, images, webhook, stop: { signal } }: MixedLoad,
  ended: Ended,
): Promise<void> {
  const urls = await Promise.all(
    images.map(async (image) => `data:${image.type};base64,${await base64Of(image)}`),
  );
  const items = Array.from({ length: BATCH_ITEMS }, (_, item) => ({
    custom_id: `${item}`,
    image: { data: urls[item % urls.length] ?? "" },
  }));
  const { id } = await client.batches.create({ items, webhook }, { signal });
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_S * 1_000)]);
  const { request_counts: counts } = await client.batches.wait(id, { signal: patience });
  if (counts.succeeded !== BATCH_ITEMS)
    throw new Error(`${id} labelled ${counts.succeeded} of ${BATCH_ITEMS}.`);
  ended.batches++;
}

const base64Of = async (image: Blob) => Buffer.from(await image.arrayBuffer()).toString("base64");
