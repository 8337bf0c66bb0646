import { createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { errorCode } from "../error-code.ts";
import { Digest, ModelName } from "../manifest.ts";
import { openModelDir } from "../model-dir.ts";
import type { ModelDir } from "../model-dir.ts";
import { ModelError } from "../model-error.ts";
import type { ModelStore } from "./model-store.ts";

/** One model of a repository: its name and the digest that it can only ever mean. */
export interface ModelReference {
  readonly name: string;
  readonly digest: string;
}

const Alias = z.strictObject({ name: ModelName, digest: Digest });

/** The files of a model directory; model.json comes last, so that a model whose model.json is there is whole. */
const FILES = {
  "model.onnx": "application/octet-stream",
  "labels.json": "application/json",
  "model.json": "application/json",
};

const hex = (digest: string) => digest.slice("sha256:".length);
const modelKey = ({ name, digest }: ModelReference, file: string) => `models/${name}/${hex(digest)}/${file}`;
const aliasKey = (alias: string) => `models/aliases/${alias}.json`;

/**
 * Checks a model directory and puts it in a repository under `models/{name}/{digest}/`, and makes the alias, by default its name, mean it from now on.
 * Earlier versions stay under their digests. Throws ModelError when the directory or the alias is not sound.
 */
export async function publishModel(store: ModelStore, dir: string, alias?: string): Promise<ModelReference> {
  const { name, digest } = openModelDir(dir).manifest;
  const reference = { name, digest };
  const checked = checkName(alias ?? name);
  for (const [file, contentType] of Object.entries(FILES))
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
  const parsed = Alias.safeParse(JSON.parse(Buffer.from(stored).toString("utf8")));
  if (!parsed.success)
    throw new ModelError(`${reference}: the repository's alias is damaged; publish the model again.`);
  return parsed.data;
}

/**
 * Brings a model from a repository to `cacheDir/{name}@{digest}` unless it is there already, and opens it. What is opened has the digest that was asked
 * for, or ModelError is thrown. Several processes may do it at once.
 */
export async function fetchModel(store: ModelStore, reference: string, cacheDir: string): Promise<ModelDir> {
  const model = await resolveModel(store, reference);
  const target = join(cacheDir, `${model.name}@${hex(model.digest)}`);
  if (existsSync(target)) return openAs(target, model);
  await mkdir(cacheDir, { recursive: true });
  const temporary = await mkdtemp(join(cacheDir, ".fetch-"));
  try {
    for (const file of Object.keys(FILES)) {
      const body = await store.getStream(modelKey(model, file));
      if (!body) throw new ModelError(`${reference}: the repository lacks ${modelKey(model, file)}.`);
      await pipeline(Readable.fromWeb(body), createWriteStream(join(temporary, file)));
    }
    openAs(temporary, model);
    await chmod(temporary, 0o755);
    await rename(temporary, target);
  } catch (error) {
    if (!["ENOTEMPTY", "EEXIST"].includes(errorCode(error) ?? "")) throw error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return openAs(target, model);
}

function openAs(dir: string, { name, digest }: ModelReference): ModelDir {
  const opened = openModelDir(dir);
  if (opened.manifest.digest !== digest)
    throw new ModelError(
      `${dir}: its digest is ${opened.manifest.digest}, ${digest} of ${name} expected; delete it.`,
    );
  return opened;
}

function checkName(name: string): string {
  if (!ModelName.safeParse(name).success)
    throw new ModelError(
      `${name}: not a model name; it has letters, digits, ".", "_" and "-" and begins with a letter or digit.`,
    );
  return name;
}
