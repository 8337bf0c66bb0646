import { ModelError } from "../model-error.ts";

/** The device that `--device` names. Throws ModelError for one that ONNX Runtime does not have. */
export function parseDevice(name: string): string {
  if (!["cpu", "cuda", "webgpu"].includes(name))
    throw new ModelError(`--device must be cpu, cuda or webgpu, not ${name}.`);
  return name;
}
