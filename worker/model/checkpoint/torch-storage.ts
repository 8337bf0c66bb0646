import { ModelError } from "../model-error.ts";
import type { PickleFunction, PickleWorld } from "./pickle.ts";
import { ELEMENT_BYTES, elementCount, formatShape, readFloats } from "./tensor.ts";
import type { StoredTensor } from "./tensor.ts";

/** torch's storage classes, by safetensors' name of their element type. */
const STORAGE_TYPES = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** The elements that one or more tensors view, and where they lie in the file once that is known. */
export class TorchStorage {
  readonly path: string;
  readonly key: string;
  readonly dtype: string;
  /** Elements. */
  readonly count: number;
  #offset: number | undefined;

  constructor(path: string, key: string, dtype: string, count: number) {
    this.path = path;
    this.key = key;
    this.dtype = dtype;
    this.count = count;
  }

  get bytes(): number {
    return this.count * (ELEMENT_BYTES.get(this.dtype) ?? 0);
  }

  get isPlaced(): boolean {
    return this.#offset !== undefined;
  }

  /** Says where the elements lie. Throws ModelError when there is not room for them. */
  place(offset: number, size: number): void {
    if (size !== this.bytes)
      throw new ModelError(
        `${this.path}: storage ${this.key} has ${size} bytes, ${this.bytes} expected for ${this.count} elements of ${this.dtype}.`,
      );
    this.#offset = offset;
  }

  /** `count` elements from element `first`, as fp32; `name` is the tensor's, for messages. */
  read(name: string, first: number, count: number): Float32Array {
    if (this.#offset === undefined)
      throw new Error(`Storage ${this.key} is read before it is placed. This is a bug.`);
    const start = this.#offset + first * (ELEMENT_BYTES.get(this.dtype) ?? 0);
    return readFloats(this.path, name, this.dtype, start, count);
  }
}

/** The world of a checkpoint's pickle: storages, the functions that make tensors of them, ordered dicts, and nothing else. `found` is told of each storage once. */
export function storageWorld(path: string, found: (storage: TorchStorage) => void): PickleWorld {
  const storages = new Map<string, TorchStorage>();
  const globals = new Map<string, unknown>([
    ["collections.OrderedDict", () => new Map()],
    ["torch._utils._rebuild_tensor", rebuildTensor],
    ["torch._utils._rebuild_tensor_v2", rebuildTensor],
    ["torch._utils._rebuild_parameter", ([tensor]: readonly unknown[]) => tensor],
    ...Object.entries(STORAGE_TYPES).map(([name, dtype]) => [`torch.${name}`, dtype] as const),
  ]);
  const persistentLoad = (id: unknown) => {
    const [kind, dtype, key, , count] = Array.isArray(id) ? id : [];
    if (kind !== "storage" || typeof dtype !== "string" || typeof key !== "string" || !isCount(count))
      throw new ModelError(
        `${path}: not a sound checkpoint: its pickle refers to something that is no storage.`,
      );
    const known = storages.get(key);
    if (known && (known.dtype !== dtype || known.count !== count))
      throw new ModelError(`${path}: storage ${key} is described in two ways.`);
    if (known) return known;
    const storage = new TorchStorage(path, key, dtype, count);
    storages.set(key, storage);
    found(storage);
    return storage;
  };
  return { path, globals, persistentLoad };
}

/** A tensor as the pickle describes it: a view of a storage that has no name yet. */
export class TorchTensor {
  readonly #storage: unknown;
  readonly #offset: unknown;
  readonly #size: unknown;
  readonly #stride: unknown;

  constructor(storage: unknown, offset: unknown, size: unknown, stride: unknown) {
    this.#storage = storage;
    this.#offset = offset;
    this.#size = size;
    this.#stride = stride;
  }

  /** The tensor under its name in the state dict of the file `path`. Throws ModelError when the view does not lie within its storage. */
  named(path: string, name: string): StoredTensor {
    const [storage, offset, size, stride] = [this.#storage, this.#offset, this.#size, this.#stride];
    const at = `${path}: tensor ${name}`;
    if (!(storage instanceof TorchStorage)) throw new ModelError(`${at} has no storage.`);
    if (!isCount(offset) || !isCounts(size) || !isCounts(stride) || size.length !== stride.length)
      throw new ModelError(`${at} has an offset, size or stride that makes no sense.`);
    const count = elementCount(size);
    const span = count === 0 ? 0 : size.reduce((last, n, axis) => last + (n - 1) * stride[axis]!, 1);
    if (offset + span > storage.count)
      throw new ModelError(
        `${at} of shape ${formatShape(size)} reaches beyond its storage of ${storage.count} elements.`,
      );
    if (count > span)
      throw new ModelError(
        `${at} of shape ${formatShape(size)} repeats elements of its storage; weights must not.`,
      );
    const read = () => gather(storage.read(name, offset, span), size, stride);
    return { shape: size, dtype: storage.dtype, read };
  }
}

/** torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …). */
const rebuildTensor: PickleFunction = ([storage, offset, size, stride]) =>
  new TorchTensor(storage, offset, size, stride);

/** A strided view's elements in row-major order. */
function gather(values: Float32Array, size: readonly number[], stride: readonly number[]): Float32Array {
  const count = elementCount(size);
  let dense = 1;
  const isDense = size.toReversed().every((n, i) => {
    const matches = n === 1 || stride.at(-1 - i) === dense;
    dense *= n;
    return matches;
  });
  if (isDense) return values;
  return Float32Array.from({ length: count }, (_, index) => {
    let at = 0;
    for (let axis = size.length - 1, rest = index; axis >= 0; axis--) {
      at += (rest % size[axis]!) * stride[axis]!;
      rest = Math.floor(rest / size[axis]!);
    }
    return values[at]!;
  });
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 8 && value.every(isCount);
