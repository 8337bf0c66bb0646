import { statSync } from "node:fs";
import { ModelError } from "../model-error.ts";
import { readBytes } from "./file-bytes.ts";
import { unpickle } from "./pickle.ts";
import type { StoredTensor } from "./tensor.ts";
import { TorchTensor, storageWorld } from "./torch-storage.ts";
import type { TorchStorage } from "./torch-storage.ts";
import { readZip } from "./zip.ts";

/** The most bytes a checkpoint's pickles may have; a TResNet's have about a hundred thousand. */
const MAX_PICKLE = 16 * 2 ** 20;

/** What torch.save wrote: the tensors of the state dict by name and, where the authors stored them, the class names in the order of the logits. */
export interface TorchFile {
  readonly tensors: Map<string, StoredTensor>;
  readonly classNames: string[] | undefined;
}

/** Opens a zip checkpoint (torch 1.6 and later). Throws ModelError when it is damaged or holds more than data. */
export function readTorchZip(path: string): TorchFile {
  const entries = readZip(path);
  const pickleName = [...entries.keys()].find((name) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const pickle = entries.get(pickleName ?? "");
  if (pickleName === undefined || !pickle)
    throw new ModelError(`${path}: a zip archive without data.pkl is no checkpoint.`);
  if (pickle.size > MAX_PICKLE)
    throw new ModelError(`${path}: data.pkl has ${pickle.size} bytes; at most ${MAX_PICKLE} are read.`);
  const root = pickleName.slice(0, -"data.pkl".length);
  const byteOrder = entries.get(`${root}byteorder`);
  if (
    byteOrder &&
    Buffer.from(readBytes(path, "byteorder", byteOrder.offset, Math.min(byteOrder.size, 16))).toString() !==
      "little"
  )
    throw new ModelError(`${path}: its numbers are big-endian; only little-endian checkpoints are read.`);

  const bytes = readBytes(path, "data.pkl", pickle.offset, pickle.size);
  const world = storageWorld(path, (storage) => {
    const entry = entries.get(`${root}data/${storage.key}`);
    if (!entry) throw new ModelError(`${path}: the data of storage ${storage.key} is missing.`);
    storage.place(entry.offset, entry.size);
  });
  return torchFile(path, unpickle(bytes, 0, world).value);
}

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/** Opens a checkpoint of torch before 1.6: five pickles (magic, protocol, system, object, storage keys), then each storage's element count and data. */
export function readTorchLegacy(path: string): TorchFile {
  const fileSize = statSync(path).size;
  const bytes = readBytes(path, "the checkpoint", 0, Math.min(fileSize, MAX_PICKLE));
  const storages = new Map<string, TorchStorage>();
  const world = storageWorld(path, (storage) => storages.set(storage.key, storage));
  let end = 0;
  const next = () => {
    const pickle = unpickle(bytes, end, world);
    end = pickle.end;
    return pickle.value;
  };
  if (next() !== LEGACY_MAGIC || next() !== LEGACY_PROTOCOL)
    throw new ModelError(`${path}: a pickle, but not one that torch.save wrote.`);
  const system = next();
  if (!(system instanceof Map) || system.get("little_endian") !== true)
    throw new ModelError(
      `${path}: its numbers are not little-endian; only little-endian checkpoints are read.`,
    );
  const object = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new ModelError(`${path}: the list of its storages is missing.`);
  for (const key of keys) {
    if (typeof key !== "string") throw new ModelError(`${path}: a storage's key is no text.`);
    const storage = storages.get(key);
    if (!storage) throw new ModelError(`${path}: storage ${JSON.stringify(key)} belongs to no tensor.`);
    const count = new DataView(readBytes(path, `storage ${storage.key}`, end, 8).buffer).getBigInt64(0, true);
    if (count !== BigInt(storage.count))
      throw new ModelError(
        `${path}: storage ${storage.key} holds ${count} elements, ${storage.count} expected.`,
      );
    if (end + 8 + storage.bytes > fileSize)
      throw new ModelError(`${path}: the data of storage ${storage.key} is cut off: the file is truncated.`);
    storage.place(end + 8, storage.bytes);
    end += 8 + storage.bytes;
  }
  const unplaced = [...storages.values()].find((storage) => !storage.isPlaced);
  if (unplaced) throw new ModelError(`${path}: the data of storage ${unplaced.key} is missing.`);
  return torchFile(path, object);
}

/** The state dict inside what was saved: itself, or under `model` (TResNet, ASL) or `state_dict` (ImageNet21K). */
function torchFile(path: string, saved: unknown): TorchFile {
  if (!(saved instanceof Map)) throw new ModelError(`${path}: it holds no state dict.`);
  const inner: unknown = saved.get("model") ?? saved.get("state_dict") ?? saved;
  if (!(inner instanceof Map)) throw new ModelError(`${path}: its model is no state dict.`);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of inner) {
    // A name that is no text may be a nest of lists too large to print.
    if (typeof name !== "string")
      throw new ModelError(`${path}: the state dict has an entry whose name is no text.`);
    if (!(tensor instanceof TorchTensor))
      throw new ModelError(`${path}: entry ${JSON.stringify(name)} of the state dict is no tensor.`);
    tensors.set(name, tensor.named(path, name));
  }
  return { tensors, classNames: classNames(saved.get("idx_to_class")) };
}

function classNames(indexToClass: unknown): string[] | undefined {
  if (!(indexToClass instanceof Map)) return undefined;
  const names = Array.from({ length: indexToClass.size }, (_, index): unknown => indexToClass.get(index));
  return names.every((name): name is string => typeof name === "string") ? names : undefined;
}
