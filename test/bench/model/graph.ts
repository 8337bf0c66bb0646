// Our serving graph against the plainest equivalent one, in turn in one process, on one thread: node test/bench/model/graph.ts [figures|tresnet_m]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { readCheckpoint } from "../../../worker/model/checkpoint/read-checkpoint.ts";
import { Weights } from "../../../worker/model/checkpoint/weights.ts";
import { demoSource } from "../../../worker/model/demo.ts";
import { encodeModel } from "../../../worker/model/onnx/encode.ts";
import { Graph } from "../../../worker/model/onnx/graph.ts";
import type { GraphNode } from "../../../worker/model/onnx/graph.ts";
import { servingGraph } from "../../../worker/model/serving-graph.ts";
import type { Serving } from "../../../worker/model/serving-graph.ts";
import { recognize } from "../../../worker/model/tresnet/recognize.ts";
import { VARIANTS } from "../../../worker/model/tresnet/variants.ts";
import { writeCheckpoint } from "../../worker/model/write-checkpoint.ts";

const ROUNDS = 20;
const SLOPES = { stem: 1e-2, blocks: 1e-3 };
const dir = mkdtempSync(join(tmpdir(), "tresline-bench-"));

async function compare(name: string, side: number, batch: number): Promise<void> {
  const checkpoint = checkpointOf(name);
  const serving: Serving = {
    input: "uint8",
    size: [side, side],
    mean: [0, 0, 0],
    std: [1, 1, 1],
    activation: "softmax",
    precision: "fp32",
    topK: 5,
  };
  const graphOf = (input: Serving["input"]) => {
    const source = readCheckpoint(checkpoint);
    return servingGraph({ ...recognize(source), leakySlopes: SLOPES }, new Weights(source), {
      ...serving,
      input,
    });
  };
  const ours = await sessionOf(graphOf("uint8"));
  const plain = await sessionOf(plainest(graphOf("float")));
  const bytes = Uint8Array.from({ length: batch * side * side * 3 }, (_, i) => (i * 131) % 251);
  const runOurs = async () =>
    ours.run({ image: new Tensor("uint8", bytes, [batch, side, side, 3]) }, ["scores"]);
  const runPlain = async () =>
    plain.run({ input: new Tensor("float32", toFloats(bytes, batch, side), [batch, 3, side, side]) }, [
      "scores",
    ]);

  const difference = largestDifference((await runOurs())["scores"]?.data, (await runPlain())["scores"]?.data);
  if (!(difference < 1e-4)) throw new Error(`the graphs of ${name} differ by ${difference}`);
  const times = { ours: [] as number[], plain: [] as number[], ratio: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    // Each goes first as often as the other: what slows the machine down slows both.
    const oursFirst = round % 2 === 0;
    const first = await milliseconds(oursFirst ? runOurs : runPlain);
    const second = await milliseconds(oursFirst ? runPlain : runOurs);
    const [a, b] = oursFirst ? [first, second] : [second, first];
    times.ours.push(a);
    times.plain.push(b);
    times.ratio.push(b / a);
  }
  process.stdout.write(
    `${name}, batch ${batch}: ours ${median(times.ours).toFixed(1)} ms, plain ${median(times.plain).toFixed(1)} ms, ` +
      `median of ${ROUNDS} ratios ${median(times.ratio).toFixed(3)}\n`,
  );
}

/** Processor time, which other programs on the machine hardly change; there is one thread. */
async function milliseconds(once: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await once();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function checkpointOf(name: string): string {
  if (name === "figures") return join(demoSource("figures"), "checkpoint.safetensors");
  const path = join(dir, "checkpoint.safetensors");
  writeCheckpoint(path, { ...VARIANTS.tresnet_m, numClasses: 1000, head: "linear", leakySlopes: SLOPES });
  return path;
}

/** The graph as upstream's code reads: every norm after its convolution instead of in it, and the blur a reflecting pad and a depthwise convolution. */
function plainest(graph: Graph): Graph {
  const plain = new Graph();
  plain.inputs.push(...graph.inputs);
  plain.outputs.push(...graph.outputs);
  for (const constant of graph.initializers.values()) plain.initializers.set(constant.name, constant);
  for (const node of graph.nodes) {
    if (node.opType === "Conv" && node.inputs[2]?.endsWith(".conv.bias")) addConvAndNorm(plain, node);
    else if (node.name.endsWith(".means")) addPad(plain, node);
    else if (node.name.endsWith(".blur")) addBlur(plain, node);
    else plain.nodes.push(node);
  }
  return plain;
}

const constant = (graph: Graph, name: string, dims: number[], value: (i: number) => number) =>
  graph.constant(name, "float32", dims, () => {
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => value(i));
    return new Uint8Array(values.buffer);
  });

function addConvAndNorm(graph: Graph, { name, inputs, attributes }: GraphNode): void {
  const [x = "", kernel = "", bias = ""] = inputs;
  const channels = [graph.initializers.get(bias)?.dims[0] ?? 0];
  graph.node("Conv", `${name}.bare`, [x, kernel], attributes);
  const gain = constant(graph, `${name}.gain`, channels, () => Math.sqrt(1 + 1e-5));
  const mean = constant(graph, `${name}.mean`, channels, () => 0);
  const variance = constant(graph, `${name}.variance`, channels, () => 1);
  graph.node("BatchNormalization", name, [`${name}.bare`, gain, bias, mean, variance], {
    epsilon: { float: 1e-5 },
  });
}

function addPad(graph: Graph, { name, inputs: [x = ""] }: GraphNode): void {
  graph.node("Pad", name, [x, graph.int64("pads", [0, 0, 1, 1, 0, 0, 1, 1])], { mode: "reflect" });
}

function addBlur(graph: Graph, { name, inputs: [x = ""] }: GraphNode): void {
  const bias = graph.initializers.get(name.replace(/blur$/, "conv.bias"));
  const channels = bias?.dims[0] ?? 0;
  const kernel = constant(
    graph,
    `blur.${channels}`,
    [channels, 1, 3, 3],
    (i) => Number([1, 2, 1, 2, 4, 2, 1, 2, 1][i % 9]) / 16,
  );
  graph.node("Conv", name, [x, kernel], { kernel_shape: [3, 3], strides: [2, 2], group: channels });
}

/** Separate preprocessing: bytes [N,H,W,3] to floats [N,3,H,W] in 0 to 1. */
function toFloats(bytes: Uint8Array, batch: number, side: number): Float32Array {
  const area = side * side;
  const floats = new Float32Array(bytes.length);
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < 3; c++) {
      const [from, to] = [n * 3 * area + c, (n * 3 + c) * area];
      for (let p = 0; p < area; p++) floats[to + p] = Number(bytes[from + 3 * p]) / 255;
    }
  return floats;
}

const sessionOf = (graph: Graph) =>
  InferenceSession.create(Buffer.concat([...encodeModel(graph)]), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
const median = (values: number[]) => Number(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]);

function largestDifference(a: ArrayLike<unknown> = [], b: ArrayLike<unknown> = []): number {
  return a.length === b.length
    ? Array.from(a).reduce(
        (largest: number, value, i) => Math.max(largest, Math.abs(Number(value) - Number(b[i]))),
        0,
      )
    : Infinity;
}

try {
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : ["figures", "tresnet_m"])
    for (const batch of [1, 8]) await compare(name, name === "figures" ? 96 : 224, batch);
} finally {
  rmSync(dir, { recursive: true });
}
