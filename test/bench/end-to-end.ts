import { startClassify } from "../../worker/classify/start.ts";
import { ensureDemoModel } from "../../worker/model/demo.ts";
import type { DemoModel } from "../../worker/model/demo.ts";
import { openModelDir } from "../../worker/model/model-dir.ts";
import { median, medianOf } from "./support/bench.ts";
import type { Figure } from "./support/bench.ts";
import { enqueueChunks, enqueueImages, openBench, storeJpegs } from "./support/pipeline.ts";
import { bareRate, decodeRate, openBareSession, pipeRate } from "./support/rates.ts";
import { besides } from "./support/besides.ts";

const ROUNDS = 5;
const SECONDS = 3;
const UNCOUNTED = 128;

/** A demo model end to end, stored JPEGs of 500 × 375 pixels through Redis to stored results, against the ideal of these cores: decoding, then the bare session. */
export async function endToEnd(model: DemoModel, images: number): Promise<Figure[]> {
  const deps = await openBench({ MODEL: model });
  const { config, queues, storage } = deps;
  try {
    const jpegs = await storeJpegs(storage, 64);
    const keys = jpegs.map(({ key }) => key);
    const files = jpegs.map(({ file }) => file);
    const modelDir = openModelDir(ensureDemoModel(model, config.MODELS_DIR));
    const bare = await openBareSession(modelDir, config.MAX_BATCH_SIZE);
    const worker = await startClassify(deps);
    const rounds: Record<"infer" | "decode" | "ideal" | "bulk" | "interactive", number>[] = [];
    const told = { bulk: {}, interactive: {} };
    for (let round = 0; round < ROUNDS; round++) {
      const infer = await bareRate(bare, SECONDS);
      const decode = await decodeRate(modelDir, files, config.MAX_IMAGE_PIXELS, SECONDS);
      const counted = { images, uncounted: UNCOUNTED };
      const bulk = await pipeRate(deps, counted, () => enqueueChunks(deps, model, keys, images));
      told.bulk = besides(storage.metrics());
      const interactive = await pipeRate(deps, counted, () => enqueueImages(queues, model, keys, images));
      told.interactive = besides(storage.metrics());
      const ideal = 1 / (1 / decode + 1 / infer);
      rounds.push({ infer, decode, ideal, bulk, interactive });
    }
    await worker.close();
    await bare.close();
    const middle = (of: keyof (typeof rounds)[0]) => median(rounds.map((round) => round[of]));
    const alone = {
      "bare session images/s": middle("infer"),
      "decoder images/s": middle("decode"),
      "ideal images/s": middle("ideal"),
    };
    return [
      {
        name: `${model}: bulk over the ideal of the cores`,
        what: "images/s in chunks of 64 from storage through Redis to stored results, over 1/(1/decode + 1/infer)",
        ...medianOf(rounds.map((round) => round.bulk / round.ideal)),
        unit: "ratio",
        goal: { atLeast: 0.75 },
        beside: { "images/s": middle("bulk"), ...alone, ...told.bulk },
      },
      {
        name: `${model}: single interactive images over the ideal of the cores`,
        what: "the same, each image a job with a state, a result and an announcement of its own",
        ...medianOf(rounds.map((round) => round.interactive / round.ideal)),
        unit: "ratio",
        goal: { atLeast: 0.6 },
        beside: { "images/s": middle("interactive"), ...alone, ...told.interactive },
      },
    ];
  } finally {
    await deps.stop();
  }
}
