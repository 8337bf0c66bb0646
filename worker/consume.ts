import { DelayedError, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Job } from "bullmq";
import type { z } from "zod";
import { Traced } from "../shared/contracts/queue-payloads.ts";
import { REDIS_PREFIX } from "../shared/keys.ts";
import type { Logger } from "../shared/logger.ts";
import type { RedisClient } from "../shared/redis.ts";
import { traceIdOf } from "../shared/traceparent.ts";
import type { WorkerMetrics } from "./metrics.ts";

/** Milliseconds until the job of a killed worker is taken up by another: at most the lock and one look for stalled jobs. */
const LOCK_MS = 15_000;
const STALLED_LOOK_MS = 5_000;

/** Milliseconds between tries: doubled from one second each time, at most a minute, less up to a quarter so that not all come at once. */
const backoffMs = (attempt: number) => Math.min(1_000 * 2 ** (attempt - 1), 60_000) * (1 - Math.random() / 4);

/** Which try of a job this is. */
export interface Attempt {
  /** 1 for the first try, one more after each try that threw. */
  number: number;
  /** How many times a worker that had the job was killed or lost it. */
  crashes: number;
  /** Whether a worker has had the job before, and may have come to its end. An event that is told again makes a job that nobody has had. */
  isRepeated: boolean;
}

/** The job is not done and has not failed: it is to be taken up again after so many milliseconds. */
export interface PutOff {
  putOffMs: number;
}

/** One queue and what to do with its jobs. */
export interface Consumer<Schema extends z.ZodType> {
  queue: string;
  payload: Schema;
  /** How many jobs are in hand at once. */
  concurrency: number;
  /** Does the job, or puts it off. Whatever it throws makes the job be tried again until its attempts are used up. */
  handle: (payload: z.output<Schema>, attempt: Attempt) => Promise<void | PutOff>;
  /** Milliseconds to wait after attempt `number` threw `error`; doubling from a second to a minute by default. */
  retryAfterMs?: (number: number, error: Error) => number;
}

/** What became of the jobs that were in hand when a worker was told to stop. */
export interface Stopped {
  finished: number;
  handedBack: number;
}

/** A running consumer. */
export interface Consuming {
  /**
   * Takes no more jobs and returns when those in hand are done. What is not at the deadline is handed back: another worker
   * has it at once, and it counts as no attempt and no crash. Its handler runs on, so the process is to end soon, and
   * nothing that it works with may be closed before.
   */
  stop: (deadline?: AbortSignal) => Promise<Stopped>;
  /** Takes no more jobs, waits for those in hand, and closes what they were done with. */
  close: () => Promise<void>;
}

const HAND_BACK = Symbol("hand back");

/** Starts to take jobs from a queue. A payload that is not what the queue carries is never tried again, and logged at error. */
export function consume<Schema extends z.ZodType>(
  { redis, logger, metrics }: { redis: RedisClient; logger: Logger; metrics: WorkerMetrics },
  { queue, payload, concurrency, handle, retryAfterMs = backoffMs }: Consumer<Schema>,
): Consuming {
  /** A function for each job in hand that hands it back. */
  const inHand = new Set<() => void>();
  const stopped: Stopped = { finished: 0, handedBack: 0 };
  let isStopping = false;
  let isOver = false;
  const handBack = async (job: Job, token: string | undefined): Promise<WaitingError> => {
    stopped.handedBack++;
    await job.moveToWait(token);
    return new WaitingError();
  };
  metrics.countJobs(queue);
  const worker = new Worker<unknown>(
    queue,
    async (job, token) => {
      const parsed = payload.safeParse(job.data);
      if (!parsed.success) throw new UnrecoverableError(`Not a payload of ${queue}: ${parsed.error.message}`);
      if (isOver) throw await handBack(job, token);
      const began = performance.now();
      const { promise, resolve, reject } = Promise.withResolvers<void | PutOff | typeof HAND_BACK>();
      const release = () => resolve(HAND_BACK);
      inHand.add(release);
      const attempt: Attempt = {
        number: job.attemptsMade + 1,
        crashes: job.stalledCounter,
        isRepeated: job.attemptsStarted > 1,
      };
      handle(parsed.data, attempt).then(resolve, reject);
      const end = await promise.finally(() => {
        inHand.delete(release);
        metrics.jobTook(queue, performance.now() - began);
      });
      if (end === HAND_BACK) throw await handBack(job, token);
      if (isStopping) stopped.finished++;
      if (end === undefined) return;
      await job.moveToDelayed(Date.now() + end.putOffMs, token);
      throw new DelayedError();
    },
    {
      connection: redis,
      prefix: REDIS_PREFIX,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_LOOK_MS,
      // A job whose worker was killed is never given up here: the handler counts crashes and writes the failure down.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      settings: {
        backoffStrategy: (attempt, _type, error) => retryAfterMs(attempt, error ?? new Error("unknown")),
      },
    },
  );
  worker.on("error", (error) => logger.error({ queue, err: error }, "queue trouble"));
  worker.on("stalled", (id) => {
    metrics.jobStalled(queue);
    logger.warn({ queue, id }, "taken over from a worker that is gone");
  });
  worker.on("failed", (job, error) => {
    metrics.jobFailed(queue, Boolean(job?.finishedOn));
    const { traceparent } = Traced.safeParse(job?.data).data ?? {};
    logger[job === undefined || job.finishedOn ? "error" : "warn"](
      {
        trace_id: traceparent && traceIdOf(traceparent),
        queue,
        id: job?.id,
        attempt: job?.attemptsMade,
        reason: error.message,
      },
      job?.finishedOn ? "job given up" : "job will be tried again",
    );
  });
  const giveUp = () => {
    isOver = true;
    for (const release of inHand) release();
  };
  return {
    async stop(deadline) {
      isStopping = true;
      if (deadline?.aborted) giveUp();
      deadline?.addEventListener("abort", giveUp, { once: true });
      await worker.close();
      return stopped;
    },
    close: () => worker.close(),
  };
}
