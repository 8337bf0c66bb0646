/// <reference lib="esnext.float16" />
import { closeSync, openSync, readSync } from "node:fs";
import { ModelError } from "../model-error.ts";

/** A tensor that lies in a checkpoint file, row-major. `read` takes its values from the file, widened to fp32; it throws ModelError for a value that is not finite. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly read: () => Float32Array;
}

/** A shape as messages show it. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** Bytes an element, by safetensors' name of the type. */
export const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map(
  Object.entries({ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 }),
);

/** The values at byte `offset` of a file, `size` bytes of little-endian floats of the type, as fp32. Throws ModelError when they are cut off, not floats or not finite. */
export function readTensorData(
  path: string,
  name: string,
  dtype: string,
  offset: number,
  size: number,
): Float32Array {
  const bytes = new Uint8Array(size);
  const file = openSync(path, "r");
  try {
    for (let done = 0; done < size;) {
      const count = readSync(file, bytes, done, size - done, offset + done);
      if (count === 0) throw new ModelError(`${path}: the data of tensor ${name} is cut off.`);
      done += count;
    }
  } finally {
    closeSync(file);
  }
  const values = toFloat32(bytes.buffer, dtype);
  if (!values)
    throw new ModelError(
      `${path}: tensor ${name} has the type ${dtype}; weights must be F32, F16, BF16 or F64.`,
    );
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new ModelError(
      `${path}: tensor ${name} has the value ${values[bad]} at element ${bad}; weights must be finite.`,
    );
  return values;
}

function toFloat32(buffer: ArrayBuffer, dtype: string): Float32Array | undefined {
  if (dtype === "F32") return new Float32Array(buffer);
  if (dtype === "F16") return Float32Array.from(new Float16Array(buffer));
  if (dtype === "F64") return Float32Array.from(new Float64Array(buffer));
  // bfloat16 is the upper half of an fp32.
  if (dtype === "BF16")
    return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer);
  return undefined;
}
