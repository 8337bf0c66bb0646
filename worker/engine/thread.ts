import { parentPort, workerData } from "node:worker_threads";
import type { RunMessage, ThreadData, ThreadMessage } from "./messages.ts";
import { openSession } from "./session.ts";
import { createSlab } from "./slab.ts";

// The entry of an engine's thread: session.run blocks whatever thread it is called on (microsoft/onnxruntime#19611).
if (parentPort === null) throw new Error("thread.ts is started by instance.ts. This is a bug.");
const port = parentPort;
const tell = (message: ThreadMessage) => port.postMessage(message);

const data = workerData as ThreadData;
const session = await openSession(data);
const timed = async (message: RunMessage) => {
  const started = performance.now();
  await session.run(message);
  return performance.now() - started;
};

const { memory } = createSlab(Math.max(...data.rungs), data);
const warmMs: number[] = [];
for (const rung of data.rungs) {
  // A GPU tunes itself in the first run of each rung, so that the second one tells what it takes.
  if (data.device !== "cpu") await timed({ ...memory, rung });
  warmMs.push(await timed({ ...memory, rung }));
}

port.on("message", (message: RunMessage) => {
  timed(message).then(
    (inferenceMs) => tell({ kind: "done", inferenceMs }),
    (error: unknown) =>
      tell({ kind: "failed", reason: error instanceof Error ? error.message : String(error) }),
  );
});
tell({ kind: "ready", warmMs });
