import type { QueueDepth } from "../shared/queue.ts";
import { CHUNK_SIZE, MAX_WAITING_CHUNKS } from "../shared/queue.ts";

/** The queue of a model as far as it matters for how many pods it needs. Of a paused one that is what is in hand. */
export interface QueueLoad extends QueueDepth {
  /** Seconds that its oldest image has waited for a worker. */
  oldestAgeS: number;
}

/** What there is to do for a model, and who does it. */
export interface ModelLoad {
  queues: readonly QueueLoad[];
  /** The workers that take its jobs. */
  workers: number;
}

/** What is asked of the pods of a model. */
export interface PodGoal {
  /** Seconds after which no image should still wait. */
  targetS: number;
  /** Images a second that one pod labels. */
  imagesPerSecond: number;
}

/** The goal of whoever names none. */
export const USUAL_GOAL: PodGoal = { targetS: 300, imagesPerSecond: 100 };

/** The part of the target that is kept back: Kubernetes lets a tenth of the pods be missing before it adds any. */
const KEPT_BACK = 0.1;
/** The least part of the target that counts as left: what is older is not done any sooner by asking for pods without end. */
const LEAST_PART_LEFT = 0.25;
/** How many times the pods that there are is asked for while nobody knows how much more comes. */
const UNSEEN_FACTOR = 2;

/**
 * The pods that a model's queues need: enough to label what waits and what is in hand in the time that is left until the
 * oldest image is nearly as old as the target, for each queue by itself. At least 1 while there is anything, 0 when there is not.
 * A bulk lane that batches have filled shows no more than its room of them, so while one is full twice the pods are asked for.
 */
export function wantedPods({ queues, workers }: ModelLoad, { targetS, imagesPerSecond }: PodGoal): number {
  const open = queues.map((queue) =>
    queue.paused ? { ...queue, waiting: 0, due: 0, oldestAgeS: 0 } : queue,
  );
  const pods = open.map((queue) => {
    const left = Math.max(targetS * (1 - KEPT_BACK) - queue.oldestAgeS, targetS * LEAST_PART_LEFT);
    return imagesIn(queue) / (imagesPerSecond * left);
  });
  const forWhatIsSeen = Math.ceil(pods.reduce((sum, each) => sum + each, 0));
  return Math.max(forWhatIsSeen, open.some(holdsBack) ? workers * UNSEEN_FACTOR : 0);
}

/** How many images the jobs of a queue come to. */
export const imagesIn = ({ waiting, due, active, imagesPerJob }: QueueDepth): number =>
  Math.round((waiting + due + active) * imagesPerJob);

/** Whether batches have filled a lane, which then goes up and down between half full and full while they are listed. */
const holdsBack = ({ waiting, imagesPerJob }: QueueDepth): boolean =>
  waiting * 2 >= MAX_WAITING_CHUNKS && imagesPerJob * 2 > CHUNK_SIZE;
