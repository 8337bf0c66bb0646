/** What a thread is given when it starts: the model, the device, and the two slabs it shares with the engine. */
export interface ThreadData {
  onnxPath: string;
  device: string;
  rungs: readonly number[];
  /** Height and width of an input image. */
  size: readonly [number, number];
  classes: number;
  /** uint8 [largest rung, H, W, 3]. */
  pixels: SharedArrayBuffer;
  /** float32 [largest rung, classes]. */
  scores: SharedArrayBuffer;
}

/** Engine to thread: run the first `rung` images of the slab. */
export interface RunMessage {
  rung: number;
}

/** Thread to engine: every rung is warm; or a micro-batch is done (its time in milliseconds), or failed. */
export type ThreadMessage =
  | { kind: "ready" }
  | { kind: "done"; inferenceMs: number }
  | { kind: "failed"; reason: string };
