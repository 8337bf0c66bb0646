import { randomUUID } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorCode } from "../error-code.ts";
import { openModelDir } from "../model-dir.ts";
import type { ModelDir } from "../model-dir.ts";
import { ModelError } from "../model-error.ts";
import type { ModelStore } from "./model-store.ts";
import { MODEL_FILES, hex, modelKey, parseAlias, resolveModel } from "./repository.ts";
import type { ModelReference } from "./repository.ts";

/** Milliseconds after which an unfinished download belongs to a process that was killed. */
const ABANDONED_MS = 86_400_000;

const cachedDir = (cacheDir: string, { name, digest }: ModelReference) =>
  join(cacheDir, `${name}@${hex(digest)}`);

/** What the repository last said of an alias. */
const cachedAlias = (cacheDir: string, alias: string) => join(cacheDir, ".aliases", `${alias}.json`);

/**
 * Brings a model from a repository to `cacheDir/{name}@{digest}` unless it is there already, and opens it. What is opened has the digest that was asked
 * for, or ModelError is thrown. When the repository cannot be asked, the model that it last meant is opened from the cache and `onOutage` is told why; without
 * one, ModelError is thrown. Several processes may do it at once.
 */
export async function fetchModel(
  store: ModelStore,
  reference: string,
  cacheDir: string,
  onOutage: (reason: Error) => void,
): Promise<ModelDir> {
  try {
    const model = await resolveModel(store, reference);
    const opened = await download(store, model, cacheDir);
    if (!reference.includes("@")) await rememberAlias(cacheDir, reference, model);
    return opened;
  } catch (error) {
    if (error instanceof ModelError || !(error instanceof Error)) throw error;
    const model = await lastMeant(cacheDir, reference);
    if (model === undefined || !existsSync(cachedDir(cacheDir, model)))
      throw new ModelError(
        `${reference}: it cannot be fetched, and ${cacheDir} has no copy of it: ${error.message}`,
      );
    onOutage(error);
    return openAs(cachedDir(cacheDir, model), model);
  }
}

async function download(store: ModelStore, model: ModelReference, cacheDir: string): Promise<ModelDir> {
  const target = cachedDir(cacheDir, model);
  if (existsSync(target)) return openAs(target, model);
  await mkdir(cacheDir, { recursive: true });
  await removeAbandoned(cacheDir);
  const temporary = await mkdtemp(join(cacheDir, ".fetch-"));
  try {
    for (const file of Object.keys(MODEL_FILES)) {
      const body = await store.getStream(modelKey(model, file));
      if (!body) throw new ModelError(`${model.name}: the repository lacks ${modelKey(model, file)}.`);
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

/** Removes what downloads left behind whose processes were killed. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (!name.startsWith(".fetch-")) continue;
    const path = join(cacheDir, name);
    const begun = await stat(path).catch(() => undefined);
    if (begun && Date.now() - begun.mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}

async function rememberAlias(cacheDir: string, alias: string, model: ModelReference): Promise<void> {
  const path = cachedAlias(cacheDir, alias);
  const temporary = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, JSON.stringify(model));
  await rename(temporary, path);
}

/** What a reference meant when the repository was last asked; undefined when it never was. */
async function lastMeant(cacheDir: string, reference: string): Promise<ModelReference | undefined> {
  const path = cachedAlias(cacheDir, reference);
  return existsSync(path) ? parseAlias(path, await readFile(path, "utf8")) : undefined;
}

function openAs(dir: string, { name, digest }: ModelReference): ModelDir {
  const opened = openModelDir(dir);
  if (opened.manifest.digest !== digest)
    throw new ModelError(
      `${dir}: its digest is ${opened.manifest.digest}, ${digest} of ${name} expected; delete it.`,
    );
  return opened;
}
