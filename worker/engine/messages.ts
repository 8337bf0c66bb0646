/** What a thread is given when it starts. */
export interface ThreadData {
  onnxPath: string;
  device: string;
  rungs: readonly number[];
  /** Height and width of an input image. */
  size: readonly [number, number];
  /** How many classes of an image are told, best first: the model's `top_k`. */
  topK: number;
}

/** Memory that an engine shares with its threads. */
export interface SlabMemory {
  /** uint8 [largest rung, H, W, 3]. */
  pixels: SharedArrayBuffer;
  /** float32 [largest rung, 2, topK]: the highest scores, 0 to 1, best first, and below them their classes' numbers. */
  answers: SharedArrayBuffer;
}

/** Engine to thread: run the first `rung` images of the slab. */
export interface RunMessage extends SlabMemory {
  rung: number;
}

/** Thread to engine: every rung is warm, and how many milliseconds each took; or a micro-batch is done, in so many milliseconds, or failed. */
export type ThreadMessage =
  | { kind: "ready"; warmMs: number[] }
  | { kind: "done"; inferenceMs: number }
  | { kind: "failed"; reason: string };
