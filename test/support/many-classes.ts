import { join } from "node:path";
import { DEFAULT_BUILD, buildModel } from "../../worker/model/build.ts";
import { parseConfig } from "../../worker/model/config.ts";
import { openModelDir } from "../../worker/model/model-dir.ts";
import type { ModelDir } from "../../worker/model/model-dir.ts";
import { scoreFiles } from "../../worker/model/score-files.ts";
import { writeCheckpoint } from "../worker/model/write-checkpoint.ts";

/** Many enough that not all of their scores are told. */
const CLASSES = 2_000;

/** Builds a small model of 2000 classes with random weights in `directory`; its name is `many_classes`. */
export function buildManyClasses(directory: string): ModelDir {
  const checkpoint = join(directory, "checkpoint.safetensors");
  writeCheckpoint(checkpoint, {
    layers: [1, 1, 1, 1],
    widthFactor: 0.25,
    v2: false,
    numClasses: CLASSES,
    leakySlopes: { stem: 1e-2, blocks: 1e-3 },
    head: "linear",
  });
  const labels = Array.from({ length: CLASSES }, (_, i) => `species ${i}`);
  const config = parseConfig({ input_size: [3, 64, 64], labels }, "many_classes");
  const out = join(directory, "many_classes");
  buildModel(checkpoint, config, out, DEFAULT_BUILD);
  return openModelDir(out);
}

/** The labels of a file by a model, best first: of all its scores, sorted here. */
export async function sortedLabels(model: ModelDir, file: string): Promise<string[]> {
  for await (const one of scoreFiles(model, [file], "cpu", "scores")) {
    if ("error" in one) throw new Error(one.error);
    const byScore = Array.from(one.scores, (score, index) => ({ score, index })).toSorted(
      (a, b) => b.score - a.score || a.index - b.index,
    );
    return byScore.map(({ index }) => model.labels[index] ?? "");
  }
  throw new Error("nothing was scored");
}
