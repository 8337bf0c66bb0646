import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ConfigError } from "../../shared/config.ts";
import { TransientError } from "../../shared/errors.ts";
import { ladder, rungFor } from "./ladder.ts";
import type { RunMessage, ThreadData, ThreadMessage } from "./messages.ts";

/** What a micro-batch gave. */
export interface MicroBatchResult {
  /** A row of scores for each image, in the order of the images: float32 [classes], 0 to 1. */
  scores: Float32Array[];
  /** Milliseconds in the session. */
  inferenceMs: number;
}

/** Runs micro-batches, one at a time. */
export interface Engine {
  readonly maxBatchSize: number;
  /**
   * Classifies 1 to `maxBatchSize` images, each uint8 [H, W, 3]. To be called again only after it has settled.
   * @throws TransientError when the session fails or its thread is gone
   */
  run(images: readonly Uint8Array[]): Promise<MicroBatchResult>;
  /** Ends the thread. */
  close(): Promise<void>;
}

/** What an engine runs. */
export interface EngineOptions {
  onnxPath: string;
  device: string;
  maxBatchSize: number;
  /** Height and width of an input image. */
  size: readonly [number, number];
  classes: number;
  /** Called when the thread dies by itself: the process should end, so that its jobs go to another. */
  onCrash: (error: Error) => void;
}

/** Starts an engine's thread and returns when the session has run every rung once. Throws ConfigError when the device or the model cannot be had. */
export async function startEngine({
  maxBatchSize,
  size,
  classes,
  onCrash,
  ...options
}: EngineOptions): Promise<Engine> {
  const rungs = ladder(maxBatchSize);
  const bytesPerImage = size[0] * size[1] * 3;
  const pixels = new SharedArrayBuffer(maxBatchSize * bytesPerImage);
  const scores = new SharedArrayBuffer(maxBatchSize * classes * Float32Array.BYTES_PER_ELEMENT);
  const slab = new Uint8Array(pixels);
  const workerData: ThreadData = { ...options, rungs, size, classes, pixels, scores };
  const thread = new Worker(new URL(import.meta.resolve("./thread.ts")), { workerData });
  await firstMessage(thread).catch((cause: unknown) => {
    throw cannotOpen(options.onnxPath, options.device, cause);
  });

  let running: PromiseWithResolvers<number> | undefined;
  let isClosing = false;
  let ended: Error | undefined;
  const settle = (message: ThreadMessage) => {
    if (message.kind === "done") running?.resolve(message.inferenceMs);
    if (message.kind === "failed") running?.reject(inferenceFailed(message.reason));
  };
  thread.on("message", settle);
  const end = (error: Error) => {
    running?.reject(inferenceFailed(error.message));
    if (isClosing || ended !== undefined) return;
    ended = error;
    onCrash(error);
  };
  thread.on("error", end);
  thread.on("exit", (code) => end(new Error(`The engine's thread ended by itself with exit code ${code}.`)));

  return {
    maxBatchSize,
    async run(images) {
      if (running !== undefined) throw new Error("The engine runs one micro-batch at a time. This is a bug.");
      if (ended !== undefined) throw inferenceFailed(ended.message);
      running = Promise.withResolvers();
      try {
        images.forEach((image, row) => slab.set(image, row * bytesPerImage));
        thread.postMessage({ rung: rungFor(rungs, images.length) } satisfies RunMessage);
        const inferenceMs = await running.promise;
        return {
          inferenceMs,
          scores: images.map((_, row) => new Float32Array(scores, row * classes * 4, classes).slice()),
        };
      } finally {
        running = undefined;
      }
    },
    async close() {
      isClosing = true;
      await thread.terminate();
    },
  };
}

async function firstMessage(thread: Worker): Promise<void> {
  const [message] = (await once(thread, "message")) as [ThreadMessage];
  if (message.kind !== "ready")
    throw new Error(`The engine's thread began with "${message.kind}". This is a bug.`);
}

function cannotOpen(onnxPath: string, device: string, cause: unknown): ConfigError {
  const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
  const advice =
    device === "cpu" ? "" : " Set DEVICE to one that this machine has; nothing falls back to the CPU.";
  return new ConfigError(`${onnxPath} cannot be run on device ${device}: ${reason}.${advice}`, { cause });
}

const inferenceFailed = (reason: string) =>
  new TransientError("inference_failed", "The model could not be run on the micro-batch this image was in.", {
    cause: new Error(reason),
  });
