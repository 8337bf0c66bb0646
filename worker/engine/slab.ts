import type { SlabMemory, ThreadData } from "./messages.ts";

/** Room for one micro-batch: pixels go in once, straight from the decoder, and a session on another thread reads them in place. */
export interface Slab {
  readonly memory: SlabMemory;
  /** Copies an image, uint8 [H, W, 3], into a row. */
  put(row: number, pixels: Uint8Array): void;
  /** A copy of a row's answer: float32 [2, classes], the highest scores, best first, and below them their classes' numbers. */
  scoresOf(row: number): Float32Array;
}

/** Makes a slab of `rows` rows. */
export function createSlab(rows: number, { size, classes }: Pick<ThreadData, "size" | "classes">): Slab {
  const imageBytes = size[0] * size[1] * 3;
  const pixels = new SharedArrayBuffer(rows * imageBytes);
  const scores = new SharedArrayBuffer(rows * 2 * classes * Float32Array.BYTES_PER_ELEMENT);
  const images = new Uint8Array(pixels);
  const values = new Float32Array(scores);
  return {
    memory: { pixels, scores },
    put(row, image) {
      if (image.byteLength !== imageBytes)
        throw new Error(`An image has ${image.byteLength} bytes instead of ${imageBytes}. This is a bug.`);
      images.set(image, row * imageBytes);
    },
    scoresOf: (row) => values.slice(row * 2 * classes, (row + 1) * 2 * classes),
  };
}
