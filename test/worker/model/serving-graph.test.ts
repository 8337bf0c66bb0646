import { expect, test } from "vitest";
import { readCheckpoint } from "../../../worker/model/checkpoint/read-checkpoint.ts";
import { Weights } from "../../../worker/model/checkpoint/weights.ts";
import { servingGraph } from "../../../worker/model/serving-graph.ts";
import type { Serving } from "../../../worker/model/serving-graph.ts";
import { fixture, readTensors } from "./read-tensors.ts";
import { maxDifference, openSession, run } from "./run-graph.ts";

const ARCHITECTURE = {
  layers: [1, 1, 2, 1],
  widthFactor: 0.25,
  v2: false,
  numClasses: 10,
  leakySlopes: { stem: 1e-2, blocks: 1e-3 },
  head: "linear",
} as const;
const SERVING: Serving = {
  input: "uint8",
  size: [64, 64],
  mean: [0, 0, 0],
  std: [1, 1, 1],
  activation: "softmax",
  precision: "fp32",
  topK: 3,
};

const graphOf = (serving: Partial<Serving> = {}) =>
  servingGraph(ARCHITECTURE, new Weights(readCheckpoint(fixture("golden/tiny_m.safetensors"))), {
    ...SERVING,
    ...serving,
  });

const crops = readTensors(fixture("cifar10/crops.safetensors")).get("inputs");

/** The bytes as float [N,3,H,W] in 0 to 1, less the mean, by the deviation: the definition, written out. */
function asFloats(
  { data, shape }: typeof crops,
  mean: readonly number[] = [0, 0, 0],
  std: readonly number[] = [1, 1, 1],
) {
  const [n = 0, height = 0, width = 0] = shape;
  const area = height * width;
  const floats = new Float32Array(data.length);
  for (const [i, byte] of data.entries()) {
    const [image, pixel, colour] = [Math.floor(i / (3 * area)), Math.floor(i / 3) % area, i % 3];
    floats[(image * 3 + colour) * area + pixel] = (byte / 255 - Number(mean[colour])) / Number(std[colour]);
  }
  return { data: floats, shape: [n, 3, height, width] };
}

test("the graph has the nodes the network needs and no more", () => {
  const counts: Record<string, number> = {};
  for (const { opType } of graphOf().nodes) counts[opType] = (counts[opType] ?? 0) + 1;
  // Stem 1; two basic blocks 2 each; three bottlenecks 3 each; three shortcuts; four SE with two each. A blur is two mean pools, a shortcut one.
  expect(counts["Conv"]).toBe(1 + 2 * 2 + 3 * 3 + 3 + 4 * 2);
  expect(counts).toEqual({
    Transpose: 1,
    // The bytes to floats; the classes to the type of their scores.
    Cast: 2,
    SpaceToDepth: 1,
    Conv: 25,
    LeakyRelu: 1 + 2 + 3 * 2,
    AveragePool: 3 * 2 + 3,
    GlobalAveragePool: 4 + 1,
    Relu: 4 + 5,
    Sigmoid: 4,
    Mul: 4,
    Add: 5,
    Flatten: 1,
    Gemm: 1,
    Softmax: 1,
    TopK: 1,
    Concat: 1,
  });
});

test("bytes [N,H,W,3] and floats [N,3,H,W] of the same pictures give the same logits", async () => {
  const fromBytes = await run(await openSession(graphOf()), crops);
  const fromFloats = await run(await openSession(graphOf({ input: "float" })), asFloats(crops));
  expect(maxDifference(fromBytes("logits"), fromFloats("logits"))).toBeLessThan(2e-5);
});

test.each(["uint8", "float"] as const)(
  "mean and std of the config are applied to %s input",
  async (input) => {
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    const expected = await run(await openSession(graphOf({ input: "float" })), asFloats(crops, mean, std));
    const session = await openSession(graphOf({ input, mean, std }));
    const actual = await run(session, input === "uint8" ? crops : asFloats(crops));
    expect(maxDifference(actual("logits"), expected("logits"))).toBeLessThan(2e-4);
  },
);

test("a multi-label model's scores are the sigmoid of its logits", async () => {
  const results = await run(await openSession(graphOf({ activation: "sigmoid" })), crops, [
    "logits",
    "scores",
  ]);
  const sigmoid = Array.from(results("logits"), (x) => 1 / (1 + Math.exp(-x)));
  expect(maxDifference(results("scores"), sigmoid)).toBeLessThan(1e-6);
});
