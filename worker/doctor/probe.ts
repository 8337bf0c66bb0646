import { fork } from "node:child_process";
import { once } from "node:events";
import type { Probe, Runtime } from "./diagnosis.ts";
import { reasonOf } from "./reason-of.ts";

/** What the process is asked to run: every rung up to `maxBatchSize`, or only to say what ONNX Runtime is when there is no model. */
export interface ProbeRequest {
  device: string;
  maxBatchSize: number;
  model: { onnxPath: string; size: [number, number]; topK: number } | null;
}

/** What it says, in this order. Times are in milliseconds. */
export type ProbeMessage =
  | ({ kind: "runtime" } & Runtime)
  | { kind: "opened"; ms: number }
  | { kind: "rung"; images: number; medianMs: number }
  | { kind: "failed"; reason: string };

/** A process that has said nothing for this long hangs; the largest rung on a slow CPU takes minutes. */
const SILENCE_MS = 600_000;

/** Opens the model in a process of its own, and times every rung of the ladder. Never throws for what goes wrong in there. */
export async function probe(request: ProbeRequest): Promise<{ runtime: Runtime | null; probe: Probe }> {
  let runtime: Runtime | null = null;
  const found: Probe = { open_ms: null, rungs: [], error: null };
  let log = "";
  const child = fork(new URL("./probe-process.ts", import.meta.url), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const hangs = setTimeout(() => child.kill("SIGKILL"), SILENCE_MS);
  child.stderr?.on("data", (chunk: Buffer) => (log = (log + chunk.toString()).slice(-100_000)));
  child.on("message", (message) => {
    hangs.refresh();
    const said = message as ProbeMessage;
    if (said.kind === "runtime") runtime = { version: said.version, providers: said.providers };
    if (said.kind === "opened") found.open_ms = rounded(said.ms);
    if (said.kind === "rung") found.rungs.push(rung(said.images, said.medianMs));
    if (said.kind === "failed") found.error = said.reason;
  });
  child.send(request);
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(hangs);
  if (found.error !== null) found.error = reasonOf(found.error, log);
  else if (signal === "SIGKILL")
    found.error = `it was killed: for want of memory, or after ${SILENCE_MS / 1000} s without an answer`;
  else if (code !== 0) found.error = reasonOf(`the process that ran it ended with ${signal ?? code}`, log);
  return { runtime, probe: found };
}

const rung = (images: number, medianMs: number) => ({
  images,
  median_ms: rounded(medianMs),
  images_per_second: Math.round((images * 1000) / medianMs),
});

const rounded = (ms: number) => Math.round(ms * 100) / 100;
