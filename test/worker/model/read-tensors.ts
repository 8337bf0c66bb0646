import { readFileSync } from "node:fs";

/** One tensor of a fixture: `data` is float32 or uint8, row-major. */
export interface FixtureTensor {
  readonly shape: number[];
  readonly data: Float32Array | Uint8Array;
}

/** The tensors of a fixture in safetensors format, read apart from the product's own reader. */
export function readTensors(path: string): { names: string[]; get(name: string): FixtureTensor } {
  const file = readFileSync(path);
  const dataStart = 8 + Number(file.readBigUInt64LE());
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(file.toString("utf8", 8, dataStart));
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  const get = (name: string) => {
    const entry = header[name];
    if (!entry) throw new Error(`${path} has no tensor ${name}`);
    const [start, end] = entry.data_offsets;
    const bytes = Uint8Array.from(file.subarray(dataStart + start, dataStart + end));
    return { shape: entry.shape, data: entry.dtype === "F32" ? new Float32Array(bytes.buffer) : bytes };
  };
  return { names, get };
}

/** A fixture's place under test/fixtures. */
export const fixture = (path: string): string => new URL(`../../fixtures/${path}`, import.meta.url).pathname;
