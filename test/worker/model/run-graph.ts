import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeModel } from "../../../worker/model/onnx/encode.ts";
import type { Graph } from "../../../worker/model/onnx/graph.ts";
import type { FixtureTensor } from "./read-tensors.ts";

/** A session on one thread, over a graph or a model.onnx file. */
export async function openSession(model: Graph | string): Promise<InferenceSession> {
  const options = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
  return typeof model === "string"
    ? InferenceSession.create(model, options)
    : InferenceSession.create(Buffer.concat([...encodeModel(model)]), options);
}

/** Runs the session's only input and gives the outputs asked for, as float32 values by name. */
export async function run(session: InferenceSession, input: FixtureTensor, outputs = ["logits"]) {
  const { data, shape } = input;
  const tensor =
    data instanceof Float32Array ? new Tensor("float32", data, shape) : new Tensor("uint8", data, shape);
  const results = await session.run({ [session.inputNames[0] ?? ""]: tensor }, outputs);
  return (name: string): Float32Array => {
    const values = results[name]?.data;
    if (!(values instanceof Float32Array)) throw new Error(`the run gave no float32 ${name}`);
    return values;
  };
}

/** The largest absolute difference; infinite when the lengths differ or a value is not a number. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  return Array.from(actual).reduce((largest, value, i) => {
    const difference = Math.abs(value - Number(expected[i]));
    return Number.isNaN(difference) ? Infinity : Math.max(largest, difference);
  }, 0);
}
