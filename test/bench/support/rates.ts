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

const CPU = { executionProviders: ["cpu"] };
/** As it comes, where its threads spin for a while after each run; and where they sleep at once. */
const SETTINGS = [CPU, { ...CPU, extra: { session: { intra_op: { allow_spinning: "0" } } } }];

/** Opens it with the settings and at the rung, up to `maxBatchSize`, at which it is fastest. */
export async function openBareSession(
  { onnxPath, manifest }: ModelDir,
  maxBatchSize: number,
): Promise<BareSession> {
  const [rows, columns] = manifest.input.size;
  const pixels = Uint8Array.from({ length: maxBatchSize * rows * columns * 3 }, (_, i) => (i * 131) % 251);
  const timed = async (session: InferenceSession, images: number) => {
    const data = pixels.subarray(0, images * rows * columns * 3);
    const began = performance.now();
    await session.run({ image: new Tensor("uint8", data, [images, rows, columns, 3]) }, ["top"]);
    return performance.now() - began;
  };
  const tries = [];
  for (const session of await Promise.all(SETTINGS.map((each) => InferenceSession.create(onnxPath, each))))
    for (const rung of ladder(maxBatchSize)) {
      await timed(session, rung);
      const times = [await timed(session, rung), await timed(session, rung), await timed(session, rung)];
      tries.push({ session, rung, msPerImage: median(times) / rung });
    }
  const [best] = tries.toSorted((a, b) => a.msPerImage - b.msPerImage);
  if (best === undefined) throw new Error("A ladder has at least one rung. This is a bug.");
  const sessions = new Set(tries.map(({ session }) => session));
  return {
    bestRung: best.rung,
    run: (images) => timed(best.session, images),
    async close() {
      await Promise.all([...sessions].map((session) => session.release()));
    },
  };
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
