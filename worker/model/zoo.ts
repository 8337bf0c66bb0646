import { parseConfig } from "./config.ts";
import type { ModelConfig } from "./config.ts";
import { ModelError } from "./model-error.ts";
import type { VariantName } from "./tresnet/variants.ts";

/** A published checkpoint on the Hugging Face hub, in `timm/<name>`. */
export interface ZooModel {
  readonly name: string;
  readonly variant: VariantName;
  readonly classes: 1000 | 11221;
  /** Side of the square input in pixels. */
  readonly size: 224 | 448;
  /** Percent on ImageNet-1k's validation set, by timm's evaluation (results-imagenet.csv); null where it has no such score. */
  readonly top1: number | null;
  readonly top5: number | null;
  /** Of model.safetensors, in 10^6 bytes. */
  readonly megabytes: number;
}

/** timm's ten TResNets. The licence of all, by their model cards, is Apache-2.0. */
export const ZOO: readonly ZooModel[] = [
  entry("tresnet_m.miil_in1k", 1000, 224, 126, 80.816, 94.862),
  entry("tresnet_m.miil_in21k_ft_in1k", 1000, 224, 126, 83.09, 96.112),
  entry("tresnet_m.miil_in21k", 11221, 224, 210, null, null),
  entry("tresnet_m.miil_in1k_448", 1000, 448, 126, 81.71, 95.562),
  entry("tresnet_l.miil_in1k", 1000, 224, 224, 81.498, 95.652),
  entry("tresnet_l.miil_in1k_448", 1000, 448, 224, 82.278, 95.988),
  entry("tresnet_xl.miil_in1k", 1000, 224, 314, 82.06, 95.932),
  entry("tresnet_xl.miil_in1k_448", 1000, 448, 314, 83.066, 96.18),
  entry("tresnet_v2_l.miil_in21k_ft_in1k", 1000, 224, 185, 83.91, 96.492),
  entry("tresnet_v2_l.miil_in21k", 11221, 224, 269, null, null),
];

/** What timm loads for a name without a tag. */
const DEFAULT_TAGS: Record<string, string> = {
  tresnet_m: "miil_in21k_ft_in1k",
  tresnet_l: "miil_in1k",
  tresnet_xl: "miil_in1k",
  tresnet_v2_l: "miil_in21k_ft_in1k",
};

/** The zoo's model of this name; a bare variant means timm's default tag. Throws ModelError when there is none. */
export function zooModel(name: string): ZooModel {
  const full = DEFAULT_TAGS[name] ? `${name}.${DEFAULT_TAGS[name]}` : name;
  const model = ZOO.find((candidate) => candidate.name === full);
  if (!model) throw new ModelError(`${name}: no such model; see tresline-model list.`);
  return model;
}

/** The config to build a zoo model with: its labels, and the preprocessing its authors evaluate with (448: squashed to the size, not cropped). */
export function zooConfig(model: ZooModel): ModelConfig {
  const config = {
    num_classes: model.classes,
    input_size: [3, model.size, model.size],
    crop_mode: model.size === 448 ? "squash" : "center",
    labels: model.classes === 1000 ? "imagenet-1k" : "imagenet-21k-p",
  };
  return parseConfig(config, model.name);
}

function entry(
  name: string,
  classes: ZooModel["classes"],
  size: ZooModel["size"],
  megabytes: number,
  top1: number | null,
  top5: number | null,
): ZooModel {
  const [variant = ""] = name.split(".");
  return { name, variant: variant as VariantName, classes, size, top1, top5, megabytes };
}
