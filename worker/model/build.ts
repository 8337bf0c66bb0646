import { basename, resolve } from "node:path";
import { readCheckpoint } from "./checkpoint/read-checkpoint.ts";
import type { Checkpoint } from "./checkpoint/read-checkpoint.ts";
import { Weights } from "./checkpoint/weights.ts";
import { issueLine } from "./config.ts";
import type { ModelConfig } from "./config.ts";
import { sha256, sha256File } from "./digest.ts";
import { countMacs } from "./macs.ts";
import { BUILDER_VERSION, ManifestContent, MODEL_FORMAT, ModelName } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { writeModelDir } from "./model-dir.ts";
import { ModelError } from "./model-error.ts";
import { encodeModel } from "./onnx/encode.ts";
import { servingGraph } from "./serving-graph.ts";
import type { Serving } from "./serving-graph.ts";
import { recognize } from "./tresnet/recognize.ts";
import { variantName } from "./tresnet/variants.ts";
import type { Architecture } from "./tresnet/variants.ts";

/** The choices of a build that are not the model's own. */
export interface BuildOptions extends Pick<Serving, "input" | "precision"> {
  /** How many of an image's classes the graph tells, or null for `DEFAULT_TOP_K`, or all where there are fewer. */
  readonly topK: number | null;
}

/**
 * More than almost any request asks for, and still cheap: measured on a CPU over 11 221 classes, the best 100 cost 0.05 ms an image inside the graph,
 * the best 1000 half a millisecond, and looking through all of them in JavaScript as much.
 */
const DEFAULT_TOP_K = 100;

/** What a worker serves when nothing else is asked for. */
export const DEFAULT_BUILD: BuildOptions = { input: "uint8", precision: "fp32", topK: null };

/**
 * Builds a model directory, named after `out`'s last part, from a checkpoint file. The same checkpoint, config and options give the same bytes.
 * Throws ModelError; then nothing is written.
 */
export function buildModel(
  checkpointPath: string,
  config: ModelConfig,
  out: string,
  options: BuildOptions,
): Manifest {
  const name = basename(resolve(out));
  if (!ModelName.safeParse(name).success)
    throw new ModelError(
      `${out}: the model would be called ${JSON.stringify(name)}; a name has letters, digits, ".", "_" and "-" only.`,
    );
  const checkpoint = readCheckpoint(checkpointPath);
  const architecture = architectureOf(checkpoint, config);
  const { labels, from } = labelsOf(checkpoint, config, architecture.numClasses);
  const topK = options.topK ?? Math.min(DEFAULT_TOP_K, architecture.numClasses);
  if (topK > architecture.numClasses)
    throw new ModelError(`the ${topK} highest scores of ${architecture.numClasses} classes cannot be given.`);

  const { crop_pct, crop_mode, interpolation, mean, std, activation } = config;
  const size: [number, number] = [config.input_size[1], config.input_size[2]];
  const weights = new Weights(checkpoint);
  const graph = servingGraph(architecture, weights, { ...options, topK, size, mean, std, activation });
  const { layers, widthFactor, v2, leakySlopes, head, numClasses } = architecture;
  const content = ManifestContent.safeParse({
    format: MODEL_FORMAT,
    name,
    variant: variantName(architecture) ?? null,
    architecture: { layers, width_factor: widthFactor, v2, leaky_slopes: leakySlopes, head },
    num_classes: numClasses,
    labels_from: from,
    parameters: weights.parameters,
    macs: countMacs(graph, size),
    input:
      options.input === "uint8"
        ? { name: "image", dtype: "uint8", size }
        : { name: "input", dtype: "float32", size },
    preprocess: { crop_pct, crop_mode, interpolation, mean, std },
    activation,
    precision: options.precision,
    top_k: topK,
    source: sourceOf(checkpointPath, config),
  });
  if (!content.success) throw new ModelError(`${checkpointPath}: ${issueLine(content.error)}`);
  return writeModelDir(out, content.data, labels, encodeModel(graph));
}

/** The `source` of model.json: what tells whether a model would be built the same again. */
export const sourceOf = (checkpoint: string, config: ModelConfig): ManifestContent["source"] => ({
  checkpoint: sha256File(checkpoint),
  config: sha256(JSON.stringify(config)),
  builder: BUILDER_VERSION,
});

/** What the tensors show, and over it what the config says; where the two differ, a tensor's shape will not fit. */
function architectureOf(checkpoint: Checkpoint, config: ModelConfig): Architecture {
  const recognized = recognize(checkpoint);
  return {
    layers: config.layers ?? recognized.layers,
    widthFactor: config.width_factor ?? recognized.widthFactor,
    v2: config.v2 ?? recognized.v2,
    head: config.head ?? recognized.head,
    numClasses: config.num_classes ?? recognized.numClasses,
    leakySlopes: config.leaky_slopes,
  };
}

/** The class names, one a logit, and where they were found. */
function labelsOf(
  checkpoint: Checkpoint,
  config: ModelConfig,
  numClasses: number,
): { labels: string[]; from: ManifestContent["labels_from"] } {
  const known = config.labels ?? checkpoint.classNames;
  if (!known) return { labels: Array.from({ length: numClasses }, (_, i) => `class_${i}`), from: "nowhere" };
  if (known.length !== numClasses)
    throw new ModelError(
      `labels: ${known.length} names for the ${numClasses} classes of ${checkpoint.path}.`,
    );
  return { labels: known, from: config.labels ? "config" : "checkpoint" };
}
