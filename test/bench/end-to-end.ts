// End to end against the ideal of these cores: stored JPEGs through Redis to stored results. node test/bench/end-to-end.ts [cifar10|figures]
import { startClassify } from "../../worker/classify/start.ts";
import { startEngine } from "../../worker/engine/engine.ts";
import { createDecoder } from "../../worker/image/decoder.ts";
import { ensureDemoModel } from "../../worker/model/demo.ts";
import { openModelDir } from "../../worker/model/model-dir.ts";
import { median } from "./support/bench.ts";
import type { Figure } from "./support/bench.ts";
import { enqueueChunks, enqueueImages, openBench, storeJpegs } from "./support/pipeline.ts";
import type { BenchDeps } from "./support/pipeline.ts";

const ROUNDS = 3;
const SECONDS = 3;

/** Images a second of the bare session at its largest rung, of the decoder alone, and of the whole pipe. */
export async function endToEnd(model: "figures" | "cifar10", images: number): Promise<Figure[]> {
  const deps = await openBench({ MODEL: model });
  try {
    const jpegs = await storeJpegs(deps.storage, 64);
    const keys = jpegs.map(({ key }) => key);
    const files = jpegs.map(({ file }) => file);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const infer = await inferRate(deps);
      const decode = await decodeRate(deps, files);
      const bulk = await pipeRate(deps, images, () => enqueueChunks(deps.queues, model, keys, images));
      const interactive = await pipeRate(deps, images, () => enqueueImages(deps.queues, model, keys, images));
      const ideal = 1 / (1 / decode + 1 / infer);
      rounds.push({ infer, decode, ideal, bulk, interactive });
      process.stderr.write(
        `${model} ${JSON.stringify(rounds.at(-1), (_, v: unknown) => (typeof v === "number" ? Math.round(v) : v))}\n`,
      );
    }
    const beside = { infer: median(rounds.map((r) => r.infer)), decode: median(rounds.map((r) => r.decode)) };
    return [
      {
        name: `${model}: bulk, end to end, of the ideal`,
        what: "images/s through Redis to stored results, over 1/(1/decode + 1/infer)",
        value: median(rounds.map((r) => r.bulk / r.ideal)),
        unit: "ratio",
        goal: { atLeast: 0.75 },
        beside: { ...beside, bulk: median(rounds.map((r) => r.bulk)) },
      },
      {
        name: `${model}: interactive single images, end to end, of the ideal`,
        what: "the same, each image a job of its own",
        value: median(rounds.map((r) => r.interactive / r.ideal)),
        unit: "ratio",
        goal: { atLeast: 0.6 },
        beside: { ...beside, interactive: median(rounds.map((r) => r.interactive)) },
      },
    ];
  } finally {
    await deps.stop();
  }
}

async function pipeRate(deps: BenchDeps, images: number, enqueue: () => Promise<void>): Promise<number> {
  await deps.redis.flushall();
  deps.storage.reset();
  await enqueue();
  const worker = await startClassify(deps);
  // The first images are on their way while the last preparations end; they are not counted.
  const before = await deps.storage.stored(Math.floor(images / 10));
  const began = performance.now();
  const all = await deps.storage.stored(images);
  const seconds = (performance.now() - began) / 1000;
  await worker.close();
  return (all - before) / seconds;
}

async function inferRate({ config, logger, onCrash }: BenchDeps): Promise<number> {
  const { manifest, onnxPath } = openModelDir(ensureDemoModel(config.MODEL as "cifar10", config.MODELS_DIR));
  const [rows, columns] = manifest.input.size;
  const engine = await startEngine({
    onnxPath,
    device: "cpu",
    instances: 1,
    maxBatchSize: config.MAX_BATCH_SIZE,
    size: [rows, columns],
    classes: manifest.top_k,
    logger,
    onCrash,
  });
  const slab = engine.createSlab();
  const rung = engine.rungs.at(-1) ?? 1;
  const rate = await rateOf(rung, () => engine.run(slab, rung));
  await engine.close();
  return rate;
}

async function decodeRate({ config }: BenchDeps, files: readonly Buffer[]): Promise<number> {
  const { manifest } = openModelDir(ensureDemoModel(config.MODEL as "cifar10", config.MODELS_DIR));
  const [rows, columns] = manifest.input.size;
  const decode = createDecoder({
    size: [rows, columns],
    cropMode: manifest.preprocess.crop_mode,
    cropPct: manifest.preprocess.crop_pct,
    interpolation: manifest.preprocess.interpolation,
    maxPixels: config.MAX_IMAGE_PIXELS,
  });
  return rateOf(files.length, () => Promise.all(files.map((file) => decode(file, "bulk"))));
}

/** Images a second of something that does `images` at a time, over a few seconds. */
async function rateOf(images: number, run: () => Promise<unknown>): Promise<number> {
  await run();
  const began = performance.now();
  let done = 0;
  while (performance.now() - began < SECONDS * 1000) {
    await run();
    done += images;
  }
  return done / ((performance.now() - began) / 1000);
}

if (import.meta.main) {
  const figures = await endToEnd(process.argv[2] === "figures" ? "figures" : "cifar10", 1_000);
  process.stdout.write(`${JSON.stringify(figures, null, 1)}\n`);
}
