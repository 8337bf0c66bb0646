import { rmSync } from "node:fs";
import { join } from "node:path";
import { startClassify } from "../../worker/classify/start.ts";
import { DEFAULT_BUILD, buildModel } from "../../worker/model/build.ts";
import { parseConfig } from "../../worker/model/config.ts";
import { openModelDir } from "../../worker/model/model-dir.ts";
import type { ModelDir } from "../../worker/model/model-dir.ts";
import { VARIANTS } from "../../worker/model/tresnet/variants.ts";
import { writeCheckpoint } from "../worker/model/write-checkpoint.ts";
import { median, medianOf } from "./support/bench.ts";
import type { Figure } from "./support/bench.ts";
import { besides } from "./support/besides.ts";
import { enqueueChunks, openBench, storeJpegs } from "./support/pipeline.ts";
import { bareRate, openBareSession, pipeRate } from "./support/rates.ts";

const MODEL = "tresnet_m";
const ROUNDS = 6;
const SECONDS = 12;
/** Multiples of a chunk and of a micro-batch, so that no partly filled one is among those counted. */
const [UNCOUNTED, IMAGES] = [64, 192];

/** TResNet-M as published, 224 × 224 pixels and 1000 classes, with random weights: the pipe against the bare session, in turn. */
export async function fullSize(): Promise<Figure[]> {
  const deps = await openBench({ MODEL });
  try {
    const keys = (await storeJpegs(deps.storage, 64)).map(({ key }) => key);
    const bare = await openBareSession(buildFullSize(deps.config.MODELS_DIR), deps.config.MAX_BATCH_SIZE);
    const worker = await startClassify(deps);
    const rounds: { session: number; pipe: number }[] = [];
    const measure = {
      session: () => bareRate(bare, SECONDS),
      pipe: () =>
        pipeRate(deps, { images: IMAGES, uncounted: UNCOUNTED }, () =>
          enqueueChunks(deps, MODEL, keys, IMAGES),
        ),
    };
    for (let round = 0; round < ROUNDS; round++) {
      // Each goes first as often as the other: what slows the machine down slows both.
      const before = round % 2 === 0 ? await measure.session() : undefined;
      const pipe = await measure.pipe();
      rounds.push({ session: before ?? (await measure.session()), pipe });
    }
    await worker.close();
    await bare.close();
    return [
      {
        name: "tresnet_m: bulk over the bare session",
        what: "images/s of 500 × 375 JPEGs from storage through Redis to stored results, over those of ONNX Runtime alone at its best rung",
        ...medianOf(rounds.map(({ session, pipe }) => pipe / session)),
        unit: "ratio",
        goal: { atLeast: 0.95 },
        beside: {
          "images/s": median(rounds.map(({ pipe }) => pipe)),
          "bare session images/s": median(rounds.map(({ session }) => session)),
          "bare session's best rung": bare.bestRung,
          ...besides(deps.storage.metrics()),
        },
      },
    ];
  } finally {
    await deps.stop();
  }
}

function buildFullSize(modelsDir: string): ModelDir {
  const checkpoint = join(modelsDir, "..", "tresnet_m.safetensors");
  const leakySlopes = { stem: 1e-2, blocks: 1e-3 };
  writeCheckpoint(checkpoint, { ...VARIANTS.tresnet_m, numClasses: 1000, head: "linear", leakySlopes });
  buildModel(checkpoint, parseConfig({}, checkpoint), join(modelsDir, MODEL), DEFAULT_BUILD);
  rmSync(checkpoint);
  return openModelDir(join(modelsDir, MODEL));
}
