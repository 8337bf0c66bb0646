import type { Checkpoint } from "../checkpoint/read-checkpoint.ts";
import { ModelError } from "../model-error.ts";
import { VARIANTS, variantName } from "./variants.ts";
import type { Architecture, Body, HeadKind, Layers } from "./variants.ts";

/** Everything of an architecture that a checkpoint's tensors show; leaky slopes leave no trace in them. */
export type Recognized = Omit<Architecture, "leakySlopes">;

/** Reads a checkpoint's architecture from its tensors' names and shapes. Throws ModelError when a stage has no blocks or no head is known. */
export function recognize(checkpoint: Checkpoint): Recognized {
  const { path, tensors } = checkpoint;
  const count = (stage: number) => countBlocks(checkpoint, stage);
  const layers: Layers = [count(1), count(2), count(3), count(4)];
  const empty = layers.findIndex((blocks) => blocks === 0);
  if (empty >= 0)
    throw new ModelError(
      `${path}: stage layer${empty + 1} has no blocks: tensor body.layer${empty + 1}.0.conv1.conv.weight is missing.`,
    );
  const v2 = tensors.has("body.layer1.0.conv3.conv.weight");
  const planes = tensors.get("body.conv1.conv.weight")?.shape[0] ?? 0;
  const body: Body = { layers, v2, widthFactor: planes / 64 };
  // A named body keeps the factor its authors wrote: 1.3 instead of 83/64.
  const name = variantName(body);
  return { ...body, ...(name && { widthFactor: VARIANTS[name].widthFactor }), ...recognizeHead(checkpoint) };
}

function countBlocks({ tensors }: Checkpoint, stage: number): number {
  let blocks = 0;
  while (tensors.has(`body.layer${stage}.${blocks}.conv1.conv.weight`)) blocks++;
  return blocks;
}

/** A tensor of each head whose first dimension is the number of classes. */
const HEAD_TENSORS: readonly (readonly [HeadKind, string])[] = [
  ["linear", "head.fc.weight"],
  ["bottleneck", "head.fc.FC.weight"],
  ["ml_decoder", "head.decoder.duplicate_pooling_bias"],
];

function recognizeHead({ path, tensors }: Checkpoint): { head: HeadKind; numClasses: number } {
  for (const [head, name] of HEAD_TENSORS) {
    const numClasses = tensors.get(name)?.shape[0];
    if (numClasses !== undefined) return { head, numClasses };
  }
  const names = HEAD_TENSORS.map(([, name]) => name).join(", ");
  throw new ModelError(`${path}: it has no head: one of ${names} is needed.`);
}
