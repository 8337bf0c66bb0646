import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { TransientError } from "../../shared/errors.ts";
import type { RunMessage, ThreadData, ThreadMessage } from "./messages.ts";

/** A thread with a session in it, which runs one micro-batch at a time. */
export interface Instance {
  /** Milliseconds that each rung took when it was warmed, in the order of the rungs. */
  readonly warmMs: readonly number[];
  /**
   * Runs a micro-batch and returns its milliseconds.
   * @param timeoutMs after so many milliseconds the thread counts as hung
   * @throws TransientError when the session fails; InstanceLost when the thread is gone or hung: it can run nothing more
   */
  run(message: RunMessage, timeoutMs: number): Promise<number>;
  /** Ends the thread once it is idle. One that is hung is left alone and ended when it answers after all. */
  close(): Promise<void>;
}

/** The thread of an instance ended by itself, or did not answer in time. The micro-batch it had may be tried again on another. */
export class InstanceLost extends TransientError {
  constructor(reason: string) {
    super("inference_failed", "The model was stopped while it ran on the micro-batch this image was in.", {
      cause: new Error(reason),
    });
  }
}

/** The entry of the thread. */
const THREAD = new URL(import.meta.resolve("./thread.ts"));

/** Starts a thread and returns when its session has run every rung once. Rejects with what the session could not be opened for. */
export async function startInstance(workerData: ThreadData, entry = THREAD): Promise<Instance> {
  const thread = new Worker(entry, { workerData });
  const { warmMs } = await readiness(thread);

  let running: PromiseWithResolvers<number> | undefined;
  let lost: InstanceLost | undefined;
  // Ending a thread while ONNX Runtime runs in it aborts the whole process (onnxruntime-node 1.30 throws into the ended thread).
  let isInSession = false;
  const lose = (reason: string) => {
    lost ??= new InstanceLost(reason);
    running?.reject(lost);
  };
  thread.on("message", (message: ThreadMessage) => {
    isInSession = false;
    if (lost !== undefined) void thread.terminate();
    if (message.kind === "done") running?.resolve(message.inferenceMs);
    if (message.kind === "failed") running?.reject(inferenceFailed(message.reason));
  });
  thread.on("error", (error) => lose(error.message));
  thread.on("exit", (code) => {
    isInSession = false;
    lose(`The engine's thread ended by itself with exit code ${code}.`);
  });

  return {
    warmMs,
    async run(message, timeoutMs) {
      if (running !== undefined)
        throw new Error("An instance runs one micro-batch at a time. This is a bug.");
      if (lost !== undefined) throw lost;
      running = Promise.withResolvers();
      const watchdog = setTimeout(() => lose(`No answer for ${Math.round(timeoutMs)} ms.`), timeoutMs);
      try {
        thread.postMessage(message);
        isInSession = true;
        return await running.promise;
      } finally {
        clearTimeout(watchdog);
        running = undefined;
      }
    },
    async close() {
      await running?.promise.catch(() => {});
      if (!isInSession) await thread.terminate();
    },
  };
}

async function readiness(thread: Worker): Promise<Extract<ThreadMessage, { kind: "ready" }>> {
  const [message] = (await once(thread, "message")) as [ThreadMessage];
  if (message.kind !== "ready")
    throw new Error(`The engine's thread began with "${message.kind}". This is a bug.`);
  return message;
}

const inferenceFailed = (reason: string) =>
  new TransientError("inference_failed", "The model could not be run on the micro-batch this image was in.", {
    cause: new Error(reason),
  });
