import type { BuildOptions } from "../build.ts";
import { ModelError } from "../model-error.ts";

/** parseArgs' description of the options that `build` and `pull` share. */
export const BUILD_FLAGS = {
  input: { type: "string", default: "uint8" },
  precision: { type: "string", default: "fp32" },
  "top-k": { type: "string" },
} as const;

/** The part of `--help` that explains them. */
export const BUILD_HELP = `  --input KIND        uint8 (default): bytes [N,H,W,3], as Tresline serves it
                      float: [N,3,H,W] in 0 to 1, of any height and width
  --precision KIND    fp32 (default), or fp16: half the size, for CUDA
  --top-k K           the most predictions of an image it can be asked for
                      (100, or all classes where there are fewer)
`;

/** The build options that were asked for. Throws ModelError for a value that is none. */
export function parseBuildOptions(values: {
  input: string;
  precision: string;
  "top-k"?: string | undefined;
}): BuildOptions {
  const { input, precision } = values;
  if (input !== "uint8" && input !== "float")
    throw new ModelError(`--input must be uint8 or float, not ${input}.`);
  if (precision !== "fp32" && precision !== "fp16")
    throw new ModelError(`--precision must be fp32 or fp16, not ${precision}.`);
  const topK = values["top-k"] === undefined ? null : Number(values["top-k"]);
  if (topK !== null && !(Number.isInteger(topK) && topK > 0))
    throw new ModelError(`--top-k must be a positive number, not ${values["top-k"]}.`);
  return { input, precision, topK };
}
