import { ModelError } from "../model-error.ts";
import type { Checkpoint } from "./read-checkpoint.ts";
import { elementCount, formatShape } from "./tensor.ts";
import type { StoredTensor } from "./tensor.ts";

/** True for a learned parameter: running statistics are not learned. */
export const isLearned = (name: string): boolean => !name.includes(".running_");

/** Where the network takes its tensors from, under timm's names. */
export interface TensorSource {
  /** The file, for messages. */
  readonly path: string;
  /** True when the norms are InPlaceABN, whose weight is |w| + eps. */
  readonly inplaceNorms: boolean;
  /** The tensor of this name; the network has this shape for it. */
  take(name: string, shape: readonly number[]): StoredTensor;
  /** One dimension of a tensor, where the network takes its size from the checkpoint. */
  dimension(name: string, axis: number): number;
}

/** Hands a checkpoint's tensors to the network, each checked against the shape the network has for it, and counts them. */
export class Weights implements TensorSource {
  /** Learned parameters handed out so far; running statistics are not learned. */
  parameters = 0;
  readonly #checkpoint: Checkpoint;
  readonly #taken = new Set<string>();

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  get path(): string {
    return this.#checkpoint.path;
  }

  get inplaceNorms(): boolean {
    return this.#checkpoint.family === "original";
  }

  /** Throws ModelError when the checkpoint has no such tensor or axis. */
  dimension(name: string, axis: number): number {
    const { path, tensors } = this.#checkpoint;
    const size = tensors.get(name)?.shape[axis];
    if (size === undefined)
      throw new ModelError(`${path}: tensor ${name} is missing, or has fewer than ${axis + 1} dimensions.`);
    return size;
  }

  /** Throws ModelError when the tensor is missing or has another shape. */
  take(name: string, shape: readonly number[]): StoredTensor {
    const { path, tensors } = this.#checkpoint;
    const tensor = tensors.get(name);
    if (!tensor)
      throw new ModelError(
        `${path}: tensor ${name} is missing; the network needs it with the shape ${formatShape(shape)}.`,
      );
    if (tensor.shape.join() !== shape.join())
      throw new ModelError(
        `${path}: tensor ${name} has the shape ${formatShape(tensor.shape)}, ${formatShape(shape)} expected.`,
      );
    if (!this.#taken.has(name) && isLearned(name)) this.parameters += elementCount(shape);
    this.#taken.add(name);
    return tensor;
  }

  /** Throws ModelError when the checkpoint has tensors nobody took: it is of another network. */
  assertAllTaken(): void {
    const { path, tensors } = this.#checkpoint;
    const left = [...tensors].filter(([name]) => !this.#taken.has(name));
    const [first] = left;
    if (first)
      throw new ModelError(
        `${path}: ${left.length} tensors have no place in the network, first ${first[0]} of shape ${formatShape(first[1].shape)}; layers, v2 or head differ.`,
      );
  }
}
