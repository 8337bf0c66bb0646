import { availableParallelism } from "node:os";
import PQueue from "p-queue";
import type { Lane } from "../../shared/contracts/lane.ts";
import { createPixelBudget } from "./pixel-budget.ts";
import { DECODE_TIMEOUT_S, configureSharp, openImage, tookTooLong } from "./preprocess.ts";
import type { PreprocessOptions } from "./preprocess.ts";

/** Decodes and scales an image file for the model: uint8 [H, W, 3], 0 to 255. Throws what `preprocess` throws. */
export type Decoder = (file: Uint8Array, lane: Lane) => Promise<Uint8Array>;

/**
 * Makes a decoder that works on as many images at a time as there are cores, interactive ones first: libvips does the work
 * outside the event loop, and more at once would only make each of them slower. All of them together have no more pixels
 * than one may have, since some formats are decoded as a whole: AVIF takes 18 bytes a pixel, whatever the size of its file.
 * An image is given up after `timeoutS` seconds, and its place is free when libvips is done with it, which looks at the time
 * between the rows of the result only.
 */
export function createDecoder(options: PreprocessOptions, timeoutS = DECODE_TIMEOUT_S): Decoder {
  configureSharp();
  const queue = new PQueue({ concurrency: availableParallelism() });
  const budget = createPixelBudget(options.maxPixels);
  const decode = async (file: Uint8Array, answer: PromiseWithResolvers<Uint8Array>) => {
    try {
      const image = await openImage(file, options, timeoutS);
      await budget(image.pixels, async () => {
        const timer = setTimeout(() => answer.reject(tookTooLong(timeoutS)), timeoutS * 1_000);
        answer.resolve(await image.decode().finally(() => clearTimeout(timer)));
      });
    } catch (error) {
      answer.reject(error);
    }
  };
  return (file, lane) => {
    const answer = Promise.withResolvers<Uint8Array>();
    void queue.add(() => decode(file, answer), { priority: lane === "interactive" ? 1 : 0 });
    return answer.promise;
  };
}
