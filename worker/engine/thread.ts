import { parentPort, workerData } from "node:worker_threads";
import type { RunMessage, ThreadData, ThreadMessage } from "./messages.ts";
import { openSession } from "./session.ts";

// The entry of an engine's thread: session.run blocks whatever thread it is called on (microsoft/onnxruntime#19611).
if (parentPort === null) throw new Error("thread.ts is started by engine.ts. This is a bug.");
const port = parentPort;
const tell = (message: ThreadMessage) => port.postMessage(message);

const data = workerData as ThreadData;
const session = await openSession(data);
for (const rung of data.rungs) await session.run(rung);

port.on("message", ({ rung }: RunMessage) => {
  const started = performance.now();
  session.run(rung).then(
    () => tell({ kind: "done", inferenceMs: performance.now() - started }),
    (error: unknown) =>
      tell({ kind: "failed", reason: error instanceof Error ? error.message : String(error) }),
  );
});
tell({ kind: "ready" });
