import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Digest, ModelName } from "../manifest.ts";
import { openModelDir } from "../model-dir.ts";
import { ModelError } from "../model-error.ts";
import type { ModelStore } from "./model-store.ts";

/** One model of a repository: its name and the digest that it can only ever mean. */
export interface ModelReference {
  readonly name: string;
  readonly digest: string;
}

const Alias = z.strictObject({ name: ModelName, digest: Digest });

/** The files of a model directory and their media types; model.json comes last, so that a model whose model.json is there is whole. */
export const MODEL_FILES = {
  "model.onnx": "application/octet-stream",
  "labels.json": "application/json",
  "model.json": "application/json",
};

/** The 64 hex digits of a digest. */
export const hex = (digest: string): string => digest.slice("sha256:".length);

/** Where a repository keeps a file of a model. */
export const modelKey = ({ name, digest }: ModelReference, file: string): string =>
  `models/${name}/${hex(digest)}/${file}`;
const aliasKey = (alias: string) => `models/aliases/${alias}.json`;

/**
 * Checks a model directory and puts it in a repository under `models/{name}/{digest}/`, and makes the alias, by default its name, mean it from now on.
 * Earlier versions stay under their digests. Throws ModelError when the directory or the alias is not sound.
 */
export async function publishModel(store: ModelStore, dir: string, alias?: string): Promise<ModelReference> {
  const { name, digest } = openModelDir(dir).manifest;
  const reference = { name, digest };
  const checked = checkName(alias ?? name);
  for (const [file, contentType] of Object.entries(MODEL_FILES))
    await store.put(modelKey(reference, file), await readFile(join(dir, file)), { contentType });
  await store.put(aliasKey(checked), JSON.stringify(reference), { contentType: "application/json" });
  return reference;
}

/** The model that an alias (`tresnet_m`) or `name@sha256:…` means. Throws ModelError when the repository has no such alias. */
export async function resolveModel(store: ModelStore, reference: string): Promise<ModelReference> {
  const at = reference.indexOf("@");
  if (at >= 0) {
    const parsed = Alias.safeParse({ name: reference.slice(0, at), digest: reference.slice(at + 1) });
    if (!parsed.success)
      throw new ModelError(`${reference}: not a model reference; it is an alias or NAME@sha256:DIGEST.`);
    return parsed.data;
  }
  const stored = await store.get(aliasKey(checkName(reference)));
  if (!stored) throw new ModelError(`${reference}: the repository has no model of this name.`);
  return parseAlias(reference, Buffer.from(stored).toString("utf8"));
}

/** Reads the JSON of an alias; `where` names it in the ModelError that is thrown when it is none. */
export function parseAlias(where: string, text: string): ModelReference {
  try {
    return Alias.parse(JSON.parse(text));
  } catch (cause) {
    throw new ModelError(`${where}: this alias is damaged; publish the model again.`, { cause });
  }
}

function checkName(name: string): string {
  if (!ModelName.safeParse(name).success)
    throw new ModelError(
      `${name}: not a model name; it has letters, digits, ".", "_" and "-" and begins with a letter or digit.`,
    );
  return name;
}
