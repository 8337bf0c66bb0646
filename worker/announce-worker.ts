import { hostname } from "node:os";
import type { Labelling } from "../shared/contracts/worker.ts";
import { newId } from "../shared/new-id.ts";
import type { RedisClient } from "../shared/redis.ts";
import { ANNOUNCE_WORKER_EVERY_MS, announceWorker, forgetWorker } from "../shared/state/workers.ts";
import { VERSION } from "../shared/version.ts";
import type { ImageCounts } from "./classify/count-images.ts";
import { LastMinute } from "./classify/last-minute.ts";

/** Milliseconds that a worker which stops waits for Redis to hear of it. */
const GOODBYE_MS = 1_000;

/** What a worker labels with. */
export type Serving = Pick<Labelling, "model" | "model_digest" | "device" | "engine_instances">;

/** A worker process that tells what it is and does, every five seconds. */
export interface Announced {
  /** Tells from now on what it labels with too, and what of that is counted here. */
  serve: (serving: Serving, counts: Readonly<ImageCounts>) => void;
  /** Tells from now on that it takes no more. */
  drain: () => void;
  /** Tells that it is gone. */
  stop: () => Promise<void>;
}

/** Begins to announce this process. What Redis does not hear now it hears the next time. */
export function announceThisWorker(redis: RedisClient, roles: readonly string[]): Announced {
  const identity = {
    id: newId("wrk"),
    host: hostname(),
    pid: process.pid,
    version: VERSION,
    roles: [...roles],
    started_at: new Date().toISOString(),
  };
  let draining = false;
  let labelling: (() => Labelling) | undefined;
  let isTelling = false;
  let isStale = false;
  const tell = async () => {
    isStale = true;
    // One at a time: while Redis is away nothing piles up.
    if (isTelling) return;
    isTelling = true;
    while (isStale) {
      isStale = false;
      const now = { draining, labelling: labelling?.() ?? null, seen_at: new Date().toISOString() };
      await announceWorker(redis, { ...identity, ...now }).catch(() => {});
    }
    isTelling = false;
  };
  void tell();
  const timer = setInterval(() => void tell(), ANNOUNCE_WORKER_EVERY_MS);
  return {
    serve(serving, counts) {
      const lastMinute = new LastMinute(performance.now());
      labelling = () => ({ ...serving, ...shown(counts, lastMinute) });
      void tell();
    },
    drain() {
      draining = true;
      void tell();
    },
    async stop() {
      clearInterval(timer);
      isStale = false;
      const goodbye = forgetWorker(redis, identity.id).catch(() => {});
      await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
    },
  };
}

function shown(counts: Readonly<ImageCounts>, lastMinute: LastMinute) {
  const { perSecond, perMicroBatch } = lastMinute.note(performance.now(), counts);
  return {
    images_in_hand: counts.inHand,
    images_labelled: counts.labelled,
    images_per_second: toHundredths(perSecond),
    mean_micro_batch: perMicroBatch === null ? null : toHundredths(perMicroBatch),
  };
}

const toHundredths = (number: number) => Math.round(number * 100) / 100;
