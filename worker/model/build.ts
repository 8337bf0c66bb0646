import { basename, resolve } from "node:path";
import { readCheckpoint } from "./checkpoint/read-checkpoint.ts";
import { Weights } from "./checkpoint/weights.ts";
import type { ModelConfig } from "./config.ts";
import { readConfig } from "./config.ts";
import { sha256, sha256File } from "./digest.ts";
import { ManifestContent, MODEL_FORMAT } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { writeModelDir } from "./model-dir.ts";
import { encodeModel } from "./onnx/encode.ts";
import { servingGraph } from "./serving-graph.ts";
import type { Serving } from "./serving-graph.ts";
import type { Architecture } from "./tresnet/variants.ts";

/** The files a model directory is built from, and where it goes. */
export interface BuildRequest {
  readonly checkpoint: string;
  readonly config: string;
  readonly out: string;
  readonly input: "uint8" | "float";
}

/** Builds a model directory named after `out`'s last part. The same checkpoint and config give the same bytes. Throws ModelError; then nothing is written. */
export function buildModel({ checkpoint: path, config: configPath, out, input }: BuildRequest): Manifest {
  const config = readConfig(configPath);
  const weights = new Weights(readCheckpoint(path));
  const { crop_pct, crop_mode, interpolation, mean, std, activation } = config;
  const size: [number, number] = [config.input_size[1], config.input_size[2]];
  const graph = servingGraph(architectureOf(config), weights, {
    input,
    size,
    mean,
    std,
    activation,
  } satisfies Serving);

  const { layers, width_factor, v2, leaky_slopes, head, num_classes, labels } = config;
  const content = ManifestContent.parse({
    format: MODEL_FORMAT,
    name: basename(resolve(out)),
    architecture: { layers, width_factor, v2, leaky_slopes, head },
    num_classes,
    parameters: weights.parameters,
    input:
      input === "uint8" ? { name: "image", dtype: "uint8", size } : { name: "input", dtype: "float32", size },
    preprocess: { crop_pct, crop_mode, interpolation, mean, std },
    activation,
    source: sourceDigests(path, config),
  });
  return writeModelDir(out, content, labels, encodeModel(graph));
}

/** The sha256 of what a model is built from: the checkpoint file, and the config with its defaults and labels filled in. */
export const sourceDigests = (checkpoint: string, config: ModelConfig): ManifestContent["source"] => ({
  checkpoint: sha256File(checkpoint),
  config: sha256(JSON.stringify(config)),
});

/** The network a config describes. */
export const architectureOf = (config: ModelConfig): Architecture => ({
  layers: config.layers,
  widthFactor: config.width_factor,
  v2: config.v2,
  numClasses: config.num_classes,
  leakySlopes: config.leaky_slopes,
  head: config.head,
});
