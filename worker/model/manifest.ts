import { z } from "zod";
import { VARIANT_NAMES } from "./tresnet/variants.ts";
import { Activation, ArchitectureFields, Preprocess } from "./config.ts";

/** The format of a model directory that this version writes and reads. */
export const MODEL_FORMAT = 1;

/** Raised whenever the same checkpoint and config give another graph, so that demo models that were built before are built again. */
export const BUILDER_VERSION = 2;

/** `sha256:` and 64 hex digits. */
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hex digits");

/** What a model may be called; a name is part of paths, keys and URLs. */
export const ModelName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'must have only letters, digits, ".", "_" and "-"');

/** model.json: what a model directory holds, without the digest that covers it. */
export const ManifestContent = z.strictObject({
  format: z.literal(MODEL_FORMAT),
  name: ModelName,
  /** The body's name, or null for a custom one. */
  variant: z.enum(VARIANT_NAMES).nullable(),
  architecture: ArchitectureFields,
  num_classes: z.int().positive(),
  /** Where labels.json is from: the config, the checkpoint, or nowhere: then classes are called class_0, class_1, … */
  labels_from: z.enum(["config", "checkpoint", "nowhere"]),
  /** Learned parameters of the checkpoint. */
  parameters: z.int().positive(),
  /** Multiply-accumulates of one picture of the input's size. */
  macs: z.int().positive(),
  input: z.strictObject({
    /** The graph's input: `image` is uint8 [N,H,W,3], `input` is float32 [N,3,H,W] in 0 to 1. */
    name: z.enum(["image", "input"]),
    dtype: z.enum(["uint8", "float32"]),
    /** Height and width in pixels. */
    size: z.tuple([z.int().positive(), z.int().positive()]),
  }),
  preprocess: Preprocess,
  activation: Activation,
  precision: z.enum(["fp32", "fp16"]),
  /** K: the graph's output `top` is float32 [N,2K], the K highest scores, best first, and then their classes' numbers. */
  top_k: z.int().positive(),
  /** What it was built from: the sha256 of the checkpoint file and of the config with its defaults and labels filled in; and by which builder. */
  source: z.strictObject({ checkpoint: Digest, config: Digest, builder: z.int() }),
});
export type ManifestContent = z.infer<typeof ManifestContent>;

/** model.json: the same and `digest`, a sha256 over model.onnx, labels.json and every other field. */
export const Manifest = ManifestContent.extend({ digest: Digest });
export type Manifest = z.infer<typeof Manifest>;
