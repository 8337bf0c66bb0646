/// <reference lib="esnext.float16" />
import { ModelError } from "../model-error.ts";
import { readBytes } from "./file-bytes.ts";

/** A tensor that lies in a checkpoint file, row-major. `read` takes its values from the file, widened to fp32; it throws ModelError for a value that is not finite. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly read: () => Float32Array;
}

/** A shape as messages show it. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** How many elements a shape has. */
export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((product, n) => product * n, 1);

/** Bytes an element, by safetensors' name of the type. */
export const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map(
  Object.entries({ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 }),
);

/** `count` little-endian floats of a type at byte `offset` of a file, as fp32. Throws ModelError when they are cut off, not floats or not finite. */
export function readFloats(
  path: string,
  name: string,
  dtype: string,
  offset: number,
  count: number,
): Float32Array {
  const elementBytes = ELEMENT_BYTES.get(dtype) ?? 0;
  const bytes = readBytes(path, `the data of tensor ${name}`, offset, count * elementBytes);
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
