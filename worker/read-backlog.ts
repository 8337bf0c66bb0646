import { Lane } from "../shared/contracts/lane.ts";
import { queueNames } from "../shared/queue.ts";
import { listModels } from "../shared/state/models.ts";
import type { WorkerDeps } from "./start.ts";

/** The states of a job, as metrics name them. */
type JobState = "waiting" | "due" | "put_off" | "active" | "dead";

/** What waits, and for how long: the same for all workers of a service. Ages are in seconds, 0 when there is nothing. */
export interface Backlog {
  queues: { queue: string; jobs: Record<JobState, number>; isPaused: boolean; oldestAgeS: number }[];
  /** Of the message that has been under way for longest. */
  oldestMessageS: number;
}

type BacklogDeps = Pick<WorkerDeps, "config" | "redis" | "queues" | "logger">;

/** Asks Redis what waits in every queue: a few dozen commands a queue, whatever is in it. What it throws is logged. */
export async function readBacklog(deps: BacklogDeps): Promise<Backlog> {
  try {
    return await lookIntoQueues(deps);
  } catch (err) {
    deps.logger.warn({ err }, "nobody can tell Prometheus what waits");
    throw err;
  }
}

async function lookIntoQueues({ config, redis, queues }: BacklogDeps): Promise<Backlog> {
  const announced = await listModels(redis);
  // Images are accepted for the default model before any worker has served it.
  const models = new Set([config.MODEL.replace(/@.*/, ""), ...announced.map(({ name }) => name)]);
  const ofModels = [...models].flatMap((model) => [
    ...Lane.options.map((lane) => queueNames.classify(model, lane)),
    queueNames.objects(model),
  ]);
  const [oldestMessage, ...looks] = await Promise.all([
    queues.oldestMessage(),
    ...[...ofModels, queueNames.scan, queueNames.deliver].map(async (queue) => {
      const { waiting, due, putOff, active, dead, paused, oldestSince } = await queues.admin.look(queue);
      const jobs = { waiting, due, put_off: putOff, active, dead };
      return { queue, jobs, isPaused: paused, oldestAgeS: secondsSince(oldestSince) };
    }),
  ]);
  return { queues: looks, oldestMessageS: secondsSince(oldestMessage) };
}

const secondsSince = (date: Date | undefined): number =>
  date === undefined ? 0 : Math.max(0, (Date.now() - date.getTime()) / 1_000);
