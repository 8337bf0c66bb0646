import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { Queue } from "bullmq";
import type { Lane } from "../../../shared/contracts/lane.ts";
import { REDIS_PREFIX } from "../../../shared/keys.ts";
import { queueNames } from "../../../shared/queue.ts";
import type { Vitals } from "./measured-worker.ts";
import type { BenchDeps } from "./pipeline.ts";

/** A worker in a process of its own that tells how it is. */
export interface WorkerProcess {
  vitals(): Promise<Vitals>;
  /** How many jobs of a lane are not done. */
  jobsLeft(lane: Lane): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a worker with the configuration of the benchmark, and returns when it takes jobs. */
export async function startWorkerProcess({ config, redis }: BenchDeps): Promise<WorkerProcess> {
  const { REDIS_URL, STORAGE_URL, MODELS_DIR, MODEL } = config;
  const env = { ...process.env, REDIS_URL, STORAGE_URL, MODELS_DIR, MODEL };
  const child = fork(join(import.meta.dirname, "measured-worker.ts"), {
    env,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`The worker ended by itself with exit code ${String(code)}.`);
  });
  ended.catch(() => {});
  const answer = async () => {
    const [message] = (await Promise.race([once(child, "message"), ended])) as [unknown];
    return message;
  };
  await answer();
  const queues = new Map<Lane, Queue>();
  return {
    async vitals() {
      const answered = answer();
      child.send("vitals");
      return (await answered) as Vitals;
    },
    async jobsLeft(lane) {
      const queue =
        queues.get(lane) ??
        new Queue(queueNames.classify(MODEL, lane), { connection: redis, prefix: REDIS_PREFIX });
      queues.set(lane, queue);
      const end = child.exitCode ?? child.signalCode;
      if (end !== null) throw new Error(`The worker ended by itself (${end}).`);
      return queue.getJobCountByTypes("waiting", "active", "delayed", "prioritized");
    },
    async stop() {
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
