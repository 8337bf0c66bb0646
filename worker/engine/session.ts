import { InferenceSession, Tensor, env, listSupportedBackends } from "onnxruntime-node";
import type { RunMessage, ThreadData } from "./messages.ts";

/** What a session gives of an image: `top` is float32 [2, topK] as in `SlabMemory`, `scores` float32 of all classes in their order. */
export type Output = "top" | "scores";

/** Runs micro-batches of fixed sizes over shared memory. */
export interface Session {
  /** Reads the first `rung` images of the pixel slab and writes as many rows of the output, in place. */
  run(message: RunMessage): Promise<void>;
}

/**
 * Opens the ONNX Runtime session. Only the device that was asked for is named, so that a missing one throws instead of
 * falling back to the CPU unheard (microsoft/onnxruntime#25609). For the output `scores`, `topK` counts all of the model's classes.
 */
export async function openSession(
  { onnxPath, device, size, topK }: ThreadData,
  output: Output = "top",
): Promise<Session> {
  const session = await InferenceSession.create(onnxPath, {
    executionProviders: [device],
    graphOptimizationLevel: "all",
    // Between two operators a thread finds its next work within microseconds and may spin for it; once a run has ended it would
    // take the cores from the decoder: measured, 6.9 instead of 11.8 ms of processor time for one image of the figures demo.
    extra: { session: { intra_op: { spin_duration_us: "200" } } },
  });
  const input = session.inputNames[0];
  if (input !== "image")
    throw new Error(`${onnxPath} has no input "image": it was built for another purpose.`);
  if (!session.outputNames.includes(output))
    throw new Error(`${onnxPath} has no output "${output}": another version built it; build it again.`);
  const pixelsPerImage = size[0] * size[1] * 3;
  const width = output === "top" ? 2 * topK : topK;
  return {
    async run({ pixels, answers, rung }) {
      const images = new Uint8Array(pixels, 0, rung * pixelsPerImage);
      const rows = new Float32Array(answers, 0, rung * width);
      await session.run(
        { image: new Tensor("uint8", images, [rung, ...size, 3]) },
        { [output]: new Tensor("float32", rows, [rung, width]) },
      );
    },
  };
}

/** ONNX Runtime's version, and the providers compiled into its binary; one that is not bundled needs a library of its own beside it. */
export const runtimeInfo = (): { version: string; providers: { name: string; bundled: boolean }[] } => ({
  version: env.versions.node ?? env.versions.common,
  providers: listSupportedBackends(),
});
