import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { ModelError } from "./model-error.ts";
import { readLabels } from "./read-labels.ts";
import { readText } from "./read-text.ts";
import { HEADS } from "./tresnet/variants.ts";

const blocks = z.int().min(1).max(64);
const side = z.int().min(20).max(4096).multipleOf(4);
const colours = z.tuple([z.number(), z.number(), z.number()]);

/** What is done to a picture before the network; `center`: short side to size/crop_pct, then the middle; `squash`: straight to the size. */
export const Preprocess = z.strictObject({
  crop_pct: z.number().positive().max(1),
  crop_mode: z.enum(["center", "squash"]),
  interpolation: z.enum(["bilinear", "bicubic"]),
  mean: colours,
  std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
});
export type Preprocess = z.infer<typeof Preprocess>;

/** The numbers that tell one TResNet from another, as configs and model.json write them. */
export const ArchitectureFields = z.strictObject({
  layers: z.tuple([blocks, blocks, blocks, blocks]),
  width_factor: z.number().min(0.05).max(8),
  v2: z.boolean(),
  leaky_slopes: z.strictObject({ stem: z.number().min(0).max(1), blocks: z.number().min(0).max(1) }),
  head: z.enum(HEADS),
});

/** How scores are made of logits. */
export const Activation = z.enum(["softmax", "sigmoid"]);

const { layers, width_factor, v2, leaky_slopes, head } = ArchitectureFields.shape;
const { crop_pct, crop_mode, interpolation, mean, std } = Preprocess.shape;

const ModelConfigFile = z.strictObject({
  layers: layers.optional(),
  width_factor: width_factor.optional(),
  v2: v2.optional(),
  head: head.optional(),
  num_classes: z.int().min(1).max(100_000).optional(),
  input_size: z.tuple([z.literal(3), side, side]).default([3, 224, 224]),
  leaky_slopes: leaky_slopes.default({ stem: 1e-2, blocks: 1e-3 }),
  labels: z.union([z.array(z.string().min(1)), z.string().min(1)]).optional(),
  crop_pct: crop_pct.default(0.875),
  crop_mode: crop_mode.default("center"),
  interpolation: interpolation.default("bilinear"),
  mean: mean.default([0, 0, 0]),
  std: std.default([1, 1, 1]),
  activation: Activation.default("softmax"),
});

/**
 * A model's config with the defaults filled in and `labels` read from their file. What is absent (layers, width_factor, v2, head, num_classes,
 * labels) is taken from the checkpoint; what is given must fit it.
 */
export type ModelConfig = Omit<z.infer<typeof ModelConfigFile>, "labels"> & { readonly labels?: string[] };

/** Reads a config file (JSON). Labels may be a path beside it, or one of the lists that come with Tresline. Throws ModelError with the path of the field that is wrong. */
export function readConfig(path: string): ModelConfig {
  return parseConfig(parseJson(path), path);
}

/** Checks a config; `path` is the file it came from, which messages name and labels are looked for beside. */
export function parseConfig(value: unknown, path: string): ModelConfig {
  const parsed = ModelConfigFile.safeParse(value);
  if (!parsed.success) throw new ModelError(`${path}: ${issueLine(parsed.error)}`);
  const { labels, ...config } = parsed.data;
  if (labels === undefined) return config;
  return {
    ...config,
    labels: typeof labels === "string" ? readLabels(labelsPath(labels, path)) : labels,
  };
}

const LABEL_LISTS = ["imagenet-1k", "imagenet-21k-p", "mscoco-80"];

const labelsPath = (labels: string, configPath: string) =>
  LABEL_LISTS.includes(labels)
    ? join(import.meta.dirname, "labels", `${labels}.tsv`)
    : resolve(dirname(configPath), labels);

/** The JSON value in a file. Throws ModelError when it cannot be read or is not JSON. */
export function parseJson(path: string): unknown {
  try {
    return JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof SyntaxError) throw new ModelError(`${path}: not JSON: ${error.message}`);
    throw error;
  }
}

/** A failed check as one line: each field's path and what is wrong with it. */
export const issueLine = (error: z.ZodError): string =>
  error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`).join("; ");
