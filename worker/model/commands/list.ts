import { parseArgs } from "node:util";
import Table from "cli-table3";
import { planNetwork } from "../tresnet/plan.ts";
import { VARIANTS } from "../tresnet/variants.ts";
import { ZOO } from "../zoo.ts";
import type { ZooModel } from "../zoo.ts";
import type { Command } from "./command.ts";

/** `tresline-model list`. */
export const list: Command = {
  help: `Usage: tresline-model list [--json]

Lists the published TResNets that pull can fetch.

  --json   the same as JSON
`,
  run(args, { out }) {
    const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
    const models = ZOO.map((model) => ({ ...model, ...cost(model) }));
    out(values.json ? `${JSON.stringify(models, null, 1)}\n` : `${table(models)}\n${NOTES}`);
  },
};

const NOTES = `
Top-1 and top-5: percent on ImageNet-1k, timm's evaluation. Preprocessing of
all: RGB in 0 to 1, no mean or std, bilinear; 224: short side to 256, center
crop; 448: squashed to 448, as its authors evaluate (timm crops).
11221 classes: ImageNet-21K-P, trained with a softmax for each level of
WordNet's hierarchy: one softmax over all classes ranks them, but its scores
are no probabilities.
License of all, by their model cards: Apache-2.0. A name without its tag means
timm's default: tresnet_m is tresnet_m.miil_in21k_ft_in1k.
`;

function cost({ variant, classes, size }: ZooModel) {
  const architecture = {
    ...VARIANTS[variant],
    numClasses: classes,
    leakySlopes: { stem: 1e-2, blocks: 1e-3 },
    head: "linear",
  } as const;
  const { parameters, macs } = planNetwork(architecture, [size, size]);
  return { parameters, macs };
}

/** Every line cli-table3 would draw. */
const BORDERS = ["top", "bottom", "left", "right", "mid", "middle"].flatMap((side) => [
  side,
  ...["left", "mid", "right", "top", "bottom"].map((part) => `${side}-${part}`),
]);

function table(models: (ZooModel & { parameters: number; macs: number })[]): string {
  const rows = new Table({
    head: ["name", "classes", "size", "top-1", "top-5", "params", "GMACs", "MB"],
    colAligns: ["left", ...Array<"right">(7).fill("right")],
    chars: Object.fromEntries(BORDERS.map((place) => [place, ""])),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 1, compact: true },
  });
  for (const { name, classes, size, top1, top5, parameters, macs, megabytes } of models)
    rows.push([
      name,
      classes,
      size,
      top1 ?? "-",
      top5 ?? "-",
      `${(parameters / 1e6).toFixed(1)} M`,
      (macs / 1e9).toFixed(2),
      megabytes,
    ]);
  return rows.toString().replaceAll(/ +$/gm, "");
}
