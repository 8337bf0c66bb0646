import { ladder } from "../engine/ladder.ts";
import { openSession, runtimeInfo } from "../engine/session.ts";
import { createSlab } from "../engine/slab.ts";
import type { ProbeMessage, ProbeRequest } from "./probe.ts";

// The entry of the process that probe.ts starts: what a driver or a library does to it leaves the doctor alive.
const MAX_RUNS = 5;
const MAX_MS_PER_RUNG = 1_000;

const tell = (message: ProbeMessage) => void process.send?.(message);

async function probe({ model, device, maxBatchSize }: ProbeRequest): Promise<void> {
  tell({ kind: "runtime", ...runtimeInfo() });
  if (model === null) return;
  const rungs = ladder(maxBatchSize);
  const { size, topK, onnxPath } = model;
  const { memory } = createSlab(maxBatchSize, { size, topK });
  const started = performance.now();
  const session = await openSession({ onnxPath, device, rungs, size, topK });
  tell({ kind: "opened", ms: performance.now() - started });
  for (const images of rungs)
    tell({ kind: "rung", images, medianMs: await medianMs(() => session.run({ ...memory, rung: images })) });
}

/** The first run is not counted: it is the one that allocates and tunes. */
async function medianMs(run: () => Promise<void>): Promise<number> {
  await run();
  const times: number[] = [];
  for (let spent = 0; times.length === 0 || (times.length < MAX_RUNS && spent < MAX_MS_PER_RUNG);) {
    const started = performance.now();
    await run();
    const ms = performance.now() - started;
    times.push(ms);
    spent += ms;
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
}

process.once("message", (request) => {
  probe(request as ProbeRequest)
    .catch((error: unknown) =>
      tell({ kind: "failed", reason: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => process.disconnect());
});
