import { InferenceSession, Tensor } from "onnxruntime-node";
import { ladder } from "../../../worker/engine/ladder.ts";
import { createDecoder } from "../../../worker/image/decoder.ts";
import type { ModelDir } from "../../../worker/model/model-dir.ts";
import { median } from "./bench.ts";
import type { BenchDeps } from "./pipeline.ts";

/** ONNX Runtime alone on the model: no queue, no decoder, no thread of ours, the same pixels each time. */
export interface BareSession {
  /** The micro-batch at which it labels the most images a second. */
  bestRung: number;
  /** Milliseconds of one run on so many images. */
  run(images: number): Promise<number>;
  close(): Promise<void>;
}

/** Opens it, and tries each rung up to `maxBatchSize` a few times. */
export async function openBareSession(
  { onnxPath, manifest }: ModelDir,
  maxBatchSize: number,
): Promise<BareSession> {
  const session = await InferenceSession.create(onnxPath, { executionProviders: ["cpu"] });
  const [rows, columns] = manifest.input.size;
  const output = session.outputNames.includes("top") ? "top" : "scores";
  const pixels = Uint8Array.from({ length: maxBatchSize * rows * columns * 3 }, (_, i) => (i * 131) % 251);
  const run = async (images: number) => {
    const data = pixels.subarray(0, images * rows * columns * 3);
    const began = performance.now();
    await session.run({ image: new Tensor("uint8", data, [images, rows, columns, 3]) }, [output]);
    return performance.now() - began;
  };
  const best = { rung: 1, msPerImage: Infinity };
  for (const rung of ladder(maxBatchSize)) {
    await run(rung);
    const msPerImage = median([await run(rung), await run(rung), await run(rung)]) / rung;
    if (msPerImage < best.msPerImage) Object.assign(best, { rung, msPerImage });
  }
  return { bestRung: best.rung, run, close: () => session.release() };
}

/** Images a second of the bare session at its best, over `seconds` seconds. */
export const bareRate = (session: BareSession, seconds: number): Promise<number> =>
  rateOf(session.bestRung, () => session.run(session.bestRung), seconds);

/** Images a second of the decoder alone, on all cores, over `seconds` seconds. */
export async function decodeRate(
  { manifest }: ModelDir,
  files: readonly Buffer[],
  maxPixels: number,
  seconds: number,
): Promise<number> {
  const [rows, columns] = manifest.input.size;
  const { crop_mode: cropMode, crop_pct: cropPct, interpolation } = manifest.preprocess;
  const decode = createDecoder({ size: [rows, columns], cropMode, cropPct, interpolation, maxPixels });
  return rateOf(files.length, () => Promise.all(files.map((file) => decode(file, "bulk"))), seconds);
}

async function rateOf(images: number, run: () => Promise<unknown>, seconds: number): Promise<number> {
  await run();
  const began = performance.now();
  let done = 0;
  while (performance.now() - began < seconds * 1000) {
    await run();
    done += images;
  }
  return done / ((performance.now() - began) / 1000);
}

/**
 * Images a second of the running worker on what `enqueue` enqueues, from the result of the first `uncounted` images until
 * all have theirs in the storage.
 */
export async function pipeRate(
  deps: BenchDeps,
  { images, uncounted }: { images: number; uncounted: number },
  enqueue: () => Promise<unknown>,
): Promise<number> {
  deps.storage.reset();
  await enqueue();
  const before = await deps.storage.stored(uncounted);
  const began = performance.now();
  const all = await deps.storage.stored(images);
  const seconds = (performance.now() - began) / 1000;
  return (all - before) / seconds;
}
