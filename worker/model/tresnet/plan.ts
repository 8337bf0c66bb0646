import { elementCount } from "../checkpoint/tensor.ts";
import type { StoredTensor } from "../checkpoint/tensor.ts";
import { isLearned } from "../checkpoint/weights.ts";
import type { TensorSource } from "../checkpoint/weights.ts";
import { countMacs } from "../macs.ts";
import { Graph } from "../onnx/graph.ts";
import { head } from "./heads.ts";
import { tresnetBody } from "./tresnet.ts";
import type { Architecture } from "./variants.ts";

/** A network without its weights: the tensors a checkpoint of it has under timm's names, learned parameters, and multiply-accumulates a picture. */
export interface Plan {
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  readonly parameters: number;
  readonly macs: number;
}

/** Plans a network with a linear head for pictures of `size` (height, width). */
export function planNetwork(architecture: Architecture, size: readonly [number, number]): Plan {
  const tensors = new Map<string, readonly number[]>();
  const weights: TensorSource = {
    path: "a plan",
    inplaceNorms: false,
    take(name, shape): StoredTensor {
      tensors.set(name, shape);
      return { shape, dtype: "F32", read: () => new Float32Array(elementCount(shape)) };
    },
    dimension(name) {
      throw new Error(`A plan cannot know the size of ${name}. This is a bug.`);
    },
  };
  const graph = new Graph();
  const net = { graph, weights, precision: "fp32", leakySlopes: architecture.leakySlopes } as const;
  const input = graph.input("input", "float32", ["N", 3, "H", "W"]);
  head(net, tresnetBody(net, input, architecture, [1]), architecture.head, architecture.numClasses);
  const parameters = [...tensors]
    .filter(([name]) => isLearned(name))
    .reduce((sum, [, shape]) => sum + elementCount(shape), 0);
  return { tensors, parameters, macs: countMacs(graph, size) };
}
