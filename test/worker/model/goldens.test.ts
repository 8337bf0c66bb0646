import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readCheckpoint } from "../../../worker/model/checkpoint/read-checkpoint.ts";
import { readSafetensors } from "../../../worker/model/checkpoint/safetensors.ts";
import { Weights } from "../../../worker/model/checkpoint/weights.ts";
import { Graph } from "../../../worker/model/onnx/graph.ts";
import { servingGraph } from "../../../worker/model/serving-graph.ts";
import { averagePool, blurPool, spaceToDepth } from "../../../worker/model/tresnet/layers.ts";
import type { Net } from "../../../worker/model/tresnet/layers.ts";
import { recognize } from "../../../worker/model/tresnet/recognize.ts";
import { fixture, readTensors } from "./read-tensors.ts";
import { maxDifference, openSession, run } from "./run-graph.ts";

/** Honest fp32 noise is 2e-6; the smallest known mistake of an implementation moves the logits by more than 2e-5. */
const TOLERANCE = 2e-5;

interface Golden {
  layers: [number, number, number, number];
  width_factor: number;
  v2: boolean;
  num_classes: number;
  planes: number;
  params?: number;
}
const MANIFEST: Record<string, Golden> = JSON.parse(readFileSync(fixture("golden/MANIFEST.json"), "utf8"));
const SLOPES = { stem: 1e-2, blocks: 1e-3 };

const FLOAT_INPUT = {
  input: "float",
  size: [64, 64],
  mean: [0, 0, 0],
  std: [1, 1, 1],
  activation: "softmax",
  precision: "fp32",
  topK: 1,
} as const;

/** The graph's value that holds each stage output of a golden. */
const stageValues = (layers: readonly number[], hasPooled: boolean): Record<string, string> => ({
  s2d: "body.s2d",
  stem: "body.conv1.act",
  ...Object.fromEntries(layers.map((blocks, s) => [`layer${s + 1}`, `body.layer${s + 1}.${blocks - 1}`])),
  ...(hasPooled && { features: "head.global_pool" }),
});

/** Builds a checkpoint's graph and gives, for every value of a golden that is further off than the tolerance, how far it is. */
async function offBy(checkpointFile: string, goldenFile: string, leakySlopes = SLOPES) {
  const checkpoint = readCheckpoint(fixture(`golden/${checkpointFile}`));
  const architecture = { ...recognize(checkpoint), leakySlopes };
  const weights = new Weights(checkpoint);
  const graph = servingGraph(architecture, weights, FLOAT_INPUT);
  const stages = stageValues(architecture.layers, architecture.head !== "ml_decoder");
  for (const value of Object.values(stages)) graph.output(value, "float32");
  const session = await openSession(graph);
  const expected = readTensors(fixture(`golden/${goldenFile}`));
  const values = { ...stages, logits: "logits" };
  const compared: string[] = [];
  const off: string[] = [];
  for (const inputName of expected.names.filter((name) => name.endsWith(".input"))) {
    const size = inputName.replace(".input", "");
    const results = await run(session, expected.get(inputName), Object.values(values));
    for (const [stage, value] of Object.entries(values)) {
      const name = `${size}.${stage}`;
      if (!expected.names.includes(name)) continue;
      compared.push(name);
      const difference = maxDifference(results(value), expected.get(name).data);
      if (difference > TOLERANCE) off.push(`${name}: ${difference}`);
    }
  }
  const skipped = expected.names.filter((name) => !compared.includes(name) && !name.endsWith(".input"));
  return { off, skipped, compared, architecture, parameters: weights.parameters };
}

const CHECKPOINTS = [
  ...["tiny_m", "tiny_mix", "tiny_v2", "tiny_s"].flatMap((name) => [
    [name, `${name}.safetensors`],
    [name, `${name}.original.pth`],
  ]),
  ...[
    "model_key",
    "state_dict_key",
    "asl_style",
    "legacy_nonzip",
    "tracked",
    "filt",
    "cuda_tag",
    "cuda_tag_legacy",
  ].map((container) => ["tiny_s", `tiny_s.${container}.pth`]),
  ["tiny_asl_bottleneck", "tiny_asl_bottleneck.original.pth"],
] as [string, string][];

test.each(CHECKPOINTS)(
  "%s from %s gives the reference's stages, features and logits at every size",
  async (name, file) => {
    const { off, skipped, compared, architecture, parameters } = await offBy(file, `${name}.io.safetensors`);
    expect(off).toEqual([]);
    expect(skipped).toEqual([]);
    expect(compared.filter((value) => value.endsWith(".logits")).length).toBeGreaterThanOrEqual(2);

    const golden = MANIFEST[name];
    expect(architecture).toMatchObject({
      layers: golden?.layers,
      v2: golden?.v2,
      numClasses: golden?.num_classes,
    });
    expect(architecture.widthFactor * 64).toBe(golden?.planes);
    expect(parameters).toBe(golden?.params ?? parameters);
  },
);

test("ML-Decoder's head gives the reference's logits and stages", async () => {
  const { off, skipped, architecture } = await offBy(
    "tiny_mld_full.original.pth",
    "tiny_mld_full.io.safetensors",
  );
  expect(off).toEqual([]);
  // It has no pooled features; the reference computed them beside the head.
  expect(skipped.every((value) => value.endsWith(".features"))).toBe(true);
  expect(architecture).toMatchObject({ head: "ml_decoder", numClasses: 10 });
});

test("V2 with the slopes of the authors' tresnet_v2.py gives that file's logits, and not with the others", async () => {
  const golden = "tiny_v2.slope1e-6.io.safetensors";
  const { off } = await offBy("tiny_v2.original.pth", golden, { stem: 1e-6, blocks: 1e-6 });
  expect(off).toEqual([]);
  expect((await offBy("tiny_v2.original.pth", golden)).off).not.toEqual([]);
});

test("class names stored in a checkpoint are read in the order of the logits", () => {
  const { classNames } = readCheckpoint(fixture("golden/tiny_s.asl_style.pth"));
  expect(classNames).toHaveLength(10);
  expect(new Set(classNames).size).toBe(10);
  expect(readCheckpoint(fixture("golden/tiny_s.model_key.pth")).classNames).toBeUndefined();
});

test("ML-Decoder's head with fewer queries than classes gives each group its logits, cut to the classes", async () => {
  const grouped = readTensors(fixture("golden/mld_grouped.safetensors"));
  const full = readCheckpoint(fixture("golden/tiny_mld_full.original.pth"));
  const stored = readSafetensors(fixture("golden/mld_grouped.safetensors"));
  const replaced = [...stored].filter(([name]) => name.startsWith("head."));
  const checkpoint = { ...full, tensors: new Map([...full.tensors, ...replaced]) };
  const graph = servingGraph(
    { ...recognize(checkpoint), leakySlopes: SLOPES },
    new Weights(checkpoint),
    FLOAT_INPUT,
  );
  const images = readTensors(fixture("golden/tiny_mld_full.io.safetensors")).get("64x64.input");
  const results = await run(await openSession(graph), images);
  expect(maxDifference(results("logits"), grouped.get("64x64.logits").data)).toBeLessThan(TOLERANCE);
});

const UNIT_OPS = readTensors(fixture("golden/unit_ops.safetensors"));
const LAYERS: Record<string, (net: Net, x: string) => string> = {
  s2d: spaceToDepth,
  blur: (net, x) => blurPool(net, x, "y"),
  avgpool: (net, x) => averagePool(net, x, "y"),
};

test.each(UNIT_OPS.names.filter((name) => name.endsWith(".output")))(
  "the layer of %s gives the reference's values",
  async (name) => {
    const [layer = "", size] = name.replace(".output", "").split(".");
    const input = UNIT_OPS.get(size ? `blur.${size}.input` : "s2d.input");
    const graph = new Graph();
    const weights = new Weights(readCheckpoint(fixture("golden/tiny_s.safetensors")));
    const x = graph.input("x", "float32", input.shape);
    const y = LAYERS[layer]?.({ graph, weights, precision: "fp32", leakySlopes: SLOPES }, x) ?? "";
    graph.output(y, "float32");
    const results = await run(await openSession(graph), input, [y]);
    expect(maxDifference(results(y), UNIT_OPS.get(name).data)).toBeLessThan(1e-6);
  },
);
