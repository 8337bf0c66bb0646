import { ConfigError } from "../../shared/config.ts";
import type { Logger } from "../../shared/logger.ts";
import { InstanceLost, startInstance } from "./instance.ts";
import type { Instance } from "./instance.ts";
import { ladder } from "./ladder.ts";
import { createSlab } from "./slab.ts";
import type { Slab } from "./slab.ts";

/** Runs micro-batches: as many at a time as it has instances. */
export interface Engine {
  /** The sizes of micro-batches, ascending; the last is the largest. */
  readonly rungs: readonly number[];
  readonly instances: number;
  /** Milliseconds that each rung took when it was warmed. */
  readonly warmMs: readonly number[];
  /** Makes room for a micro-batch of the largest rung. */
  createSlab(): Slab;
  /**
   * Runs the first `rung` rows of a slab and returns the milliseconds that the session took; the rows' scores are in the
   * slab then. To be called only while fewer than `instances` run. When it throws, the slab may still be written to by a
   * thread that was given up, and must not be used again.
   * @throws TransientError when the session fails or its thread is lost
   */
  run(slab: Slab, rung: number): Promise<number>;
  /** Ends the threads once they are idle. What is still to be run then is never answered: its job was handed back. */
  close(): Promise<void>;
}

/** What an engine runs. */
export interface EngineOptions {
  onnxPath: string;
  device: string;
  /** How many threads with a session each. */
  instances: number;
  maxBatchSize: number;
  /** Height and width of an input image. */
  size: readonly [number, number];
  /** How many classes of an image are told, best first: the model's `top_k`. */
  topK: number;
  logger: Pick<Logger, "error" | "info">;
  /** Called for each thread that ends by itself or hangs. */
  onLost: () => void;
  /** Called when a lost thread cannot be replaced: the process should end, so that its jobs go to another. */
  onCrash: (error: Error) => void;
  /** The thread's entry; another one in tests. */
  threadEntry?: URL | undefined;
  /** Milliseconds after which a micro-batch counts as hung, at least; a rung that is slow by nature has more. */
  hungAfterMs?: number | undefined;
}

/** A rung that takes this many times what it took when it was warmed is hung; and at least so many milliseconds. */
const HUNG_AFTER_TIMES = 20;
const HUNG_AFTER_MS = 10_000;

/**
 * Starts the threads and returns when each has run every rung once. A thread that ends by itself or hangs is replaced.
 * @throws ConfigError when the device or the model cannot be had
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { onnxPath, device, size, topK, maxBatchSize, logger, onLost, onCrash, threadEntry } = options;
  const { hungAfterMs = HUNG_AFTER_MS } = options;
  const rungs = ladder(maxBatchSize);
  const start = () => startInstance({ onnxPath, device, rungs, size, topK }, threadEntry);
  const all = new Set(await startAll(options, start));
  const idle = [...all];
  const waiting: ((instance: Instance) => void)[] = [];
  let isClosing = false;

  const free = (instance: Instance) => {
    const next = waiting.shift();
    if (next === undefined) idle.push(instance);
    else next(instance);
  };
  const replace = async (lost: Instance, reason: unknown) => {
    onLost();
    logger.error({ err: reason }, "an engine thread was lost; starting another");
    all.delete(lost);
    void lost.close();
    const instance = await start();
    all.add(instance);
    if (isClosing) return instance.close();
    free(instance);
    return logger.info("the engine thread was replaced");
  };

  return {
    rungs,
    instances: options.instances,
    warmMs: idle[0]?.warmMs ?? [],
    createSlab: () => createSlab(maxBatchSize, { size, topK }),
    async run(slab, rung) {
      // An error would be written down as the failure of images that another worker has by now.
      if (isClosing) return new Promise<never>(() => {});
      const instance = idle.pop() ?? (await new Promise<Instance>((resolve) => waiting.push(resolve)));
      const warmMs = instance.warmMs[rungs.indexOf(rung)] ?? 0;
      try {
        const inferenceMs = await instance.run(
          { ...slab.memory, rung },
          Math.max(hungAfterMs, HUNG_AFTER_TIMES * warmMs),
        );
        free(instance);
        return inferenceMs;
      } catch (error) {
        if (error instanceof InstanceLost) {
          if (!isClosing) replace(instance, error).catch(onCrash);
        } else free(instance);
        throw error;
      }
    },
    async close() {
      isClosing = true;
      await Promise.all([...all].map((instance) => instance.close()));
    },
  };
}

async function startAll(
  { instances, onnxPath, device }: EngineOptions,
  start: () => Promise<Instance>,
): Promise<Instance[]> {
  const started = await Promise.allSettled(Array.from({ length: instances }, start));
  const ready = started.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
  const failed = started.find((each) => each.status === "rejected");
  if (failed === undefined) return ready;
  await Promise.all(ready.map((instance) => instance.close()));
  const cause: unknown = failed.reason;
  const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
  const advice =
    device === "cpu" ? "" : " Set DEVICE to one that this machine has; nothing falls back to the CPU.";
  throw new ConfigError(`${onnxPath} cannot be run on device ${device}: ${reason}.${advice}`, { cause });
}
