import { parseArgs } from "node:util";
import { buildModel } from "../build.ts";
import { parseConfig, readConfig } from "../config.ts";
import { ModelError } from "../model-error.ts";
import { BUILD_FLAGS, BUILD_HELP, parseBuildOptions } from "./build-options.ts";
import type { Command } from "./command.ts";
import { describeModel } from "./describe-model.ts";

/** `tresline-model build`. */
export const build: Command = {
  help: `Usage: tresline-model build --checkpoint FILE --out DIR [--config FILE]

Builds a model directory (model.onnx, labels.json, model.json) from a TResNet
checkpoint. Layers, width, classes and head are recognized from its tensors.

  --checkpoint FILE   weights: .safetensors, or .pth / .bin of torch.save
  --config FILE       JSON: labels, input_size, crop_pct, crop_mode, mean, std,
                      activation, leaky_slopes and more; every field has a
                      default
  --out DIR           the model directory; its name becomes the model's
${BUILD_HELP}`,
  run(args, { out: print }) {
    const options = {
      checkpoint: { type: "string" },
      config: { type: "string" },
      out: { type: "string" },
      ...BUILD_FLAGS,
    } as const;
    const { checkpoint, config, out, ...rest } = parseArgs({ args, options }).values;
    if (!checkpoint || !out)
      throw new ModelError("build needs --checkpoint and --out; see tresline-model build --help.");
    const settings = config === undefined ? parseConfig({}, checkpoint) : readConfig(config);
    print(`${out}\n${describeModel(buildModel(checkpoint, settings, out, parseBuildOptions(rest)))}`);
  },
};
