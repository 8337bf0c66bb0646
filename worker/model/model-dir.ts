import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { issueLine, parseJson } from "./config.ts";
import { sha256, sha256File } from "./digest.ts";
import { errorCode } from "./error-code.ts";
import { Manifest, MODEL_FORMAT } from "./manifest.ts";
import type { ManifestContent } from "./manifest.ts";
import { ModelError } from "./model-error.ts";

/** An opened model directory: its manifest and labels, checked, and where its graph lies. */
export interface ModelDir {
  readonly dir: string;
  readonly manifest: Manifest;
  /** One name a class, in the order of the logits. */
  readonly labels: string[];
  readonly onnxPath: string;
}

/** Opens a model directory. Throws ModelError when a file is missing, model.json is not valid or the digest does not match. */
export function openModelDir(dir: string): ModelDir {
  const path = join(dir, "model.json");
  if (!existsSync(path)) throw new ModelError(`${dir}: not a model directory: it has no model.json.`);
  const json = parseJson(path);
  assertFormat(path, json);
  const parsed = Manifest.safeParse(json);
  if (!parsed.success) throw new ModelError(`${path}: ${issueLine(parsed.error)}`);
  const { digest, ...content } = parsed.data;

  const onnxPath = join(dir, "model.onnx");
  const labelsPath = join(dir, "labels.json");
  for (const file of [onnxPath, labelsPath])
    if (!existsSync(file)) throw new ModelError(`${file} is missing.`);
  const actual = contentDigest(dir, content);
  if (actual !== digest)
    throw new ModelError(
      `${dir}: the digest is ${actual}, model.json says ${digest}: a file was changed or damaged. Build or pull the model again.`,
    );
  const labels = z.array(z.string()).length(content.num_classes).safeParse(parseJson(labelsPath));
  if (!labels.success) throw new ModelError(`${labelsPath}: ${issueLine(labels.error)}`);
  return { dir, manifest: parsed.data, labels: labels.data, onnxPath };
}

/**
 * Writes a model directory: into a temporary sibling, then renamed, so that it is there whole or not at all. A model directory that exists is
 * replaced. `graph` are the chunks of model.onnx. Throws ModelError when something else is there.
 */
export function writeModelDir(
  dir: string,
  content: ManifestContent,
  labels: string[],
  graph: Iterable<Uint8Array>,
): Manifest {
  const target = resolve(dir);
  assertReplaceable(target);
  mkdirSync(dirname(target), { recursive: true });
  const temporary = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    chmodSync(temporary, 0o755);
    writeChunks(join(temporary, "model.onnx"), graph);
    writeFileSync(join(temporary, "labels.json"), `${JSON.stringify(labels, null, 1)}\n`);
    const manifest: Manifest = { ...content, digest: contentDigest(temporary, content) };
    writeFileSync(join(temporary, "model.json"), `${JSON.stringify(manifest, null, 1)}\n`);
    replaceDir(temporary, target);
    return manifest;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function assertReplaceable(dir: string): void {
  if (!existsSync(dir) || existsSync(join(dir, "model.json"))) return;
  if (!statSync(dir).isDirectory() || readdirSync(dir).length > 0)
    throw new ModelError(`${dir}: it is there already and is no model directory; choose another.`);
}

/** The digest of a model directory: a sha256 over those of model.onnx, labels.json and the manifest's content in the schema's order. */
function contentDigest(dir: string, content: ManifestContent): string {
  const parts = [
    sha256File(join(dir, "model.onnx")),
    sha256File(join(dir, "labels.json")),
    sha256(JSON.stringify(content)),
  ];
  return sha256(parts.join("\n"));
}

function assertFormat(path: string, json: unknown): void {
  const format = z.object({ format: z.number() }).safeParse(json).data?.format;
  if (format !== undefined && format !== MODEL_FORMAT)
    throw new ModelError(
      `${path}: format ${format}; this version of Tresline reads format ${MODEL_FORMAT}. Build or pull the model again.`,
    );
}

function writeChunks(path: string, chunks: Iterable<Uint8Array>): void {
  const file = openSync(path, "wx");
  try {
    for (const chunk of chunks) for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done);
  } finally {
    closeSync(file);
  }
}

/** Puts a directory in another's place; when two processes do it at once, the one that comes second wins or leaves the first's. */
function replaceDir(from: string, to: string): void {
  const old = `${from}-old`;
  try {
    if (existsSync(to)) renameSync(to, old);
    renameSync(from, to);
  } catch (error) {
    const lostRace = ["ENOENT", "ENOTEMPTY", "EEXIST"].includes(errorCode(error) ?? "");
    if (!lostRace || !existsSync(join(to, "model.json"))) throw error;
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}
