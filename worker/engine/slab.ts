import type { SlabMemory, ThreadData } from "./messages.ts";

/** Room for one micro-batch: pixels go in once, straight from the decoder, and a session on another thread reads them in place. */
export interface Slab {
  readonly memory: SlabMemory;
  /** Copies an image, uint8 [H, W, 3], into a row. */
  put(row: number, pixels: Uint8Array): void;
  /** A copy of a row's answer: float32 [2, topK]: the highest scores, best first, and below them their classes' numbers. */
  answerOf(row: number): Float32Array;
}

/** Makes a slab of `rows` rows. */
export function createSlab(rows: number, { size, topK }: Pick<ThreadData, "size" | "topK">): Slab {
  const imageBytes = size[0] * size[1] * 3;
  const pixels = new SharedArrayBuffer(rows * imageBytes);
  const answers = new SharedArrayBuffer(rows * 2 * topK * Float32Array.BYTES_PER_ELEMENT);
  const images = new Uint8Array(pixels);
  const values = new Float32Array(answers);
  return {
    memory: { pixels, answers },
    put(row, image) {
      if (image.byteLength !== imageBytes)
        throw new Error(`An image has ${image.byteLength} bytes instead of ${imageBytes}. This is a bug.`);
      images.set(image, row * imageBytes);
    },
    answerOf: (row) => values.slice(row * 2 * topK, (row + 1) * 2 * topK),
  };
}
