import { availableParallelism } from "node:os";
import PQueue from "p-queue";
import type { Lane } from "../../shared/contracts/lane.ts";
import { createPixelBudget } from "./pixel-budget.ts";
import { configureSharp, openImage } from "./preprocess.ts";
import type { PreprocessOptions } from "./preprocess.ts";

/** Decodes and scales an image file for the model: uint8 [H, W, 3], 0 to 255. Throws what `preprocess` throws. */
export type Decoder = (file: Uint8Array, lane: Lane) => Promise<Uint8Array>;

/**
 * Makes a decoder that works on as many images at a time as there are cores, interactive ones first: libvips does the work
 * outside the event loop, and more at once would only make each of them slower. All of them together have no more pixels
 * than one may have, since some formats are decoded as a whole: AVIF takes 18 bytes a pixel, whatever the size of its file.
 */
export function createDecoder(options: PreprocessOptions): Decoder {
  configureSharp();
  const queue = new PQueue({ concurrency: availableParallelism() });
  const budget = createPixelBudget(options.maxPixels);
  const decode = async (file: Uint8Array) => {
    const image = await openImage(file, options);
    return budget(image.pixels, image.decode);
  };
  return (file, lane) => queue.add(() => decode(file), { priority: lane === "interactive" ? 1 : 0 });
}
