import pLimit from "p-limit";
import { ClassifyPayload, ScanPayload } from "../../shared/contracts/queue-payloads.ts";
import type { DeliverPayload } from "../../shared/contracts/queue-payloads.ts";
import type { NewJob, Queues } from "../../shared/queue.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";
import type { Storage } from "../../shared/storage/storage.ts";
import { classifyChunk } from "../../worker/classify/classify-chunk.ts";
import { runScanJob } from "../../worker/scan/run-scan-job.ts";
import { testLabelling } from "./labelling.ts";
import type { WorkerTestDeps } from "./worker-deps.ts";

/** Thrown out of a handler whose worker is killed. */
class Killed extends Error {}

interface Job {
  payload: ScanPayload | ClassifyPayload;
  /** How many workers died with it. */
  crashes: number;
}

/** What happens at a step, which is a call of Redis, of storage or of a queue: something else does something meanwhile, or the worker is killed before or after it. */
export interface Incident {
  step: number;
  does: "kill before" | "kill after" | (() => Promise<void>);
}

/**
 * Workers of which one does one job at a time, in an order that is told, with queues in memory and all else real but
 * storage: a whole life of a batch, of which each step may be broken.
 */
export function simulatedWorkers(deps: WorkerTestDeps, storage: Storage, buckets: SourceBuckets) {
  const jobs = new Map<string, Job>();
  const delivered = new Map<string, DeliverPayload>();
  let incidents: readonly Incident[] = [];
  let step = 0;

  /** Counts the calls of a part and lets happen at each what is to happen then. */
  const breakable = <Part extends object>(part: Part, methods: readonly string[]): Part =>
    new Proxy(part, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if (!methods.includes(String(name))) return member.bind(target) as unknown;
        return async (...args: unknown[]): Promise<unknown> => {
          const now = step++;
          const here = incidents.filter((incident) => incident.step === now).map(({ does }) => does);
          for (const does of here) if (typeof does === "function") await does();
          if (here.includes("kill before")) throw new Killed();
          const result: unknown = await Reflect.apply(member, target, args);
          if (here.includes("kill after")) throw new Killed();
          return result;
        };
      },
    });

  const add = async (added: NewJob<ScanPayload | ClassifyPayload>[]) => {
    for (const { id, payload } of added)
      if (!jobs.has(id)) jobs.set(id, { payload: structuredClone(payload), crashes: 0 });
  };
  const queues: Queues = {
    ...deps.queues,
    enqueueClassify: (_model, _lane, added) => add(added),
    enqueueScan: (job) => add([job]),
    async enqueueDeliver({ id, payload }) {
      if (!delivered.has(id)) delivered.set(id, payload);
    },
    countWaiting: async () => 0,
  };
  const { classifyDeps } = testLabelling(deps, {});
  const worker = {
    ...classifyDeps,
    redis: breakable(deps.redis, ["eval", "hgetall", "hmget"]),
    storage: breakable(storage, ["put", "putStream", "putIfAbsent", "get", "getStream"]),
    queues: breakable(queues, ["enqueueClassify", "enqueueScan", "enqueueDeliver"]),
    buckets,
    inHand: pLimit(64),
    labelling: {
      ...classifyDeps.labelling,
      batcher: {
        classify: async () => ({
          answer: new Float32Array([0.9, 0.1, 0, 1]),
          batchWaitMs: 0,
          inferenceMs: 0,
          batchSize: 1,
        }),
      },
    },
  };

  const doJob = async (id: string, job: Job): Promise<void> => {
    const { payload, crashes } = job;
    try {
      if (payload.kind === "chunk")
        await classifyChunk(payload, { number: 1, crashes, isRepeated: crashes > 0 }, worker);
      else if (payload.kind !== "image") {
        if ((await runScanJob(payload, worker)) !== undefined) return;
      }
      jobs.delete(id);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      job.crashes++;
    }
  };

  return {
    queues,
    /** Every message, by its id. */
    delivered,
    /** The payloads of the jobs that are not done. */
    jobs,
    /** Does jobs until none is left, and throws when that takes too long. `order` says which of those that wait is next, over and over. */
    async run(order: readonly number[], happenings: readonly Incident[]): Promise<void> {
      incidents = happenings;
      step = 0;
      for (let turn = 0; jobs.size > 0; turn++) {
        if (turn > 2_000) throw new Error(`These jobs never end: ${[...jobs.keys()].join(", ")}`);
        const waiting = [...jobs];
        const next = waiting[(order[turn % order.length] ?? 0) % waiting.length];
        if (next !== undefined) await doJob(...next);
      }
    },
  };
}
