import { readFile } from "node:fs/promises";
import { openSession } from "../engine/session.ts";
import type { Output } from "../engine/session.ts";
import { configureSharp, preprocess } from "../image/preprocess.ts";
import type { ModelDir } from "./model-dir.ts";
import { ModelError } from "./model-error.ts";

/** Images that are decoded together and run in one go. */
const BATCH = 16;
/** The most pixels of a file that is decoded. */
const MAX_PIXELS = 100_000_000;

/** What the model says of one file, a row of the output that was asked for, or why it says nothing. */
export type FileScores =
  | { readonly path: string; readonly scores: Float32Array }
  | { readonly path: string; readonly error: string };

/**
 * Scores image files in this process, in their order: the next batch is decoded while one runs. A file that cannot be read or decoded gives an error
 * of its own. Throws ModelError when the model was not built for bytes.
 */
export async function* scoreFiles(
  model: ModelDir,
  paths: readonly string[],
  device: string,
  output: Output,
): AsyncGenerator<FileScores> {
  const { input, num_classes, top_k } = model.manifest;
  if (input.name !== "image")
    throw new ModelError(`${model.dir}: it takes floating-point input; build it with --input uint8.`);
  configureSharp();
  const imageBytes = input.size[0] * input.size[1] * 3;
  const pixels = new SharedArrayBuffer(BATCH * imageBytes);
  const topK = output === "top" ? top_k : num_classes;
  const width = output === "top" ? 2 * top_k : num_classes;
  const answers = new SharedArrayBuffer(BATCH * width * Float32Array.BYTES_PER_ELEMENT);
  const { onnxPath } = model;
  const session = await openSession({ onnxPath, device, rungs: [BATCH], size: input.size, topK }, output);

  let next = decodeAll(model, paths.slice(0, BATCH));
  for (let start = 0; start < paths.length; start += BATCH) {
    const decoded = await next;
    next = decodeAll(model, paths.slice(start + BATCH, start + 2 * BATCH));
    const images = decoded.filter((one) => "image" in one);
    for (const [row, { image }] of images.entries())
      new Uint8Array(pixels, row * imageBytes, imageBytes).set(image);
    // Always a full batch: a GPU tunes itself anew for every batch size.
    if (images.length > 0) await session.run({ pixels, answers, rung: BATCH });
    let row = 0;
    for (const one of decoded) {
      if ("error" in one) yield one;
      else yield { path: one.path, scores: new Float32Array(answers, 4 * width * row++, width).slice() };
    }
  }
}

type Decoded =
  | { readonly path: string; readonly image: Uint8Array }
  | { readonly path: string; readonly error: string };

async function decodeAll(model: ModelDir, paths: readonly string[]): Promise<Decoded[]> {
  return Promise.all(paths.map((path) => decode(model, path)));
}

async function decode({ manifest }: ModelDir, path: string): Promise<Decoded> {
  const { crop_mode: cropMode, crop_pct: cropPct, interpolation } = manifest.preprocess;
  try {
    const file = await readFile(path);
    return {
      path,
      image: await preprocess(file, {
        size: manifest.input.size,
        cropMode,
        cropPct,
        interpolation,
        maxPixels: MAX_PIXELS,
      }),
    };
  } catch (error) {
    return { path, error: error instanceof Error ? error.message : String(error) };
  }
}
