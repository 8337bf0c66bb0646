import { closeSync, openSync, writeSync } from "node:fs";
import { elementCount } from "../../../worker/model/checkpoint/tensor.ts";
import { planNetwork } from "../../../worker/model/tresnet/plan.ts";
import type { Architecture } from "../../../worker/model/tresnet/variants.ts";

/** Writes a safetensors checkpoint of a network with a linear head and seeded random weights, one tensor at a time. */
export function writeCheckpoint(path: string, architecture: Architecture): void {
  const { tensors } = planNetwork(architecture, [64, 64]);
  const header: Record<string, object> = {};
  let at = 0;
  for (const [name, shape] of tensors) {
    const size = 4 * elementCount(shape);
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + size] };
    at += size;
  }
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  const random = generator(7);
  const file = openSync(path, "w");
  try {
    writeSync(file, Buffer.concat([prefix, json]));
    for (const [name, shape] of tensors)
      writeSync(file, new Uint8Array(randomTensor(name, shape, random).buffer));
  } finally {
    closeSync(file);
  }
}

/** Weights that keep activations near one: He's for convolutions, 0.5 to 1.5 for variances and gains, small for the rest. */
function randomTensor(name: string, shape: readonly number[], random: () => number): Float32Array {
  const fanIn = elementCount(shape.slice(1));
  const isScale = shape.length === 1 && (name.endsWith(".running_var") || name.endsWith(".weight"));
  const spread = shape.length > 1 ? Math.sqrt(6 / fanIn) : 0.1;
  return Float32Array.from({ length: elementCount(shape) }, () =>
    isScale ? 0.5 + random() : spread * (2 * random() - 1),
  );
}

/** Marsaglia's xorshift: numbers in 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
