import { accessSync, constants, statSync } from "node:fs";
import { ModelError } from "../model-error.ts";
import { readBytes } from "./file-bytes.ts";
import { familyOf, isIgnored, timmName } from "./rename.ts";
import type { Family } from "./rename.ts";
import { readSafetensors } from "./safetensors.ts";
import type { StoredTensor } from "./tensor.ts";
import { readTorchLegacy, readTorchZip } from "./torch.ts";
import type { TorchFile } from "./torch.ts";

/** A TResNet checkpoint: its weights under timm's names, whatever the file calls them, and without what inference does not use. */
export interface Checkpoint {
  readonly path: string;
  readonly family: Family;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** One a class in the order of the logits, where the file has them. */
  readonly classNames: string[] | undefined;
}

/** Opens a checkpoint file (safetensors, or what torch.save writes), reading only where its tensors are. Throws ModelError when it is not a TResNet checkpoint. */
export function readCheckpoint(path: string): Checkpoint {
  assertReadable(path);
  const { tensors: stored, classNames } = readByKind(path);
  const family = familyOf(stored);
  if (!family)
    throw new ModelError(
      `${path}: not a TResNet checkpoint: it has neither body.conv1.conv.weight (timm) nor body.conv1.0.weight (original).`,
    );
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of stored) {
    if (isIgnored(name)) continue;
    const renamed = family === "original" ? timmName(name) : name;
    if (tensors.has(renamed))
      throw new ModelError(`${path}: two tensors stand for ${renamed}; one of them is ${name}.`);
    tensors.set(renamed, tensor);
  }
  return { path, family, tensors, classNames };
}

const ZIP_START = 0x04034b50;
const PICKLE_PROTO = 0x80;
/** "{", after the eight bytes of the header's size, which may begin like a pickle. */
const SAFETENSORS_HEADER_START = 0x7b;

function readByKind(path: string): TorchFile {
  const start = Buffer.from(readBytes(path, "the file", 0, 9).buffer);
  if (start.readUInt32LE(0) === ZIP_START) return readTorchZip(path);
  if (start[0] === PICKLE_PROTO && start[8] !== SAFETENSORS_HEADER_START) return readTorchLegacy(path);
  return { tensors: readSafetensors(path), classNames: undefined };
}

function assertReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new ModelError(`${path}: no such file, or it may not be read.`);
  }
  if (!statSync(path).isFile()) throw new ModelError(`${path}: not a file.`);
}
