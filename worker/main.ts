import { ConfigError, readConfig } from "../shared/config.ts";
import { openTracer } from "../shared/open-tracer.ts";
import { WorkerConfig } from "./config.ts";
import { ModelError } from "./model/model-error.ts";
import { openReadyFile } from "./ready-file.ts";
import { startWorker } from "./start.ts";

// ONNX Runtime for Linux would otherwise keep a device id in ~/.cache and a database of what it means to send home.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

/** Milliseconds after the deadline in which what is still in hand is handed back. */
const HAND_BACK_MS = 5_000;

/** The entry of a worker process: reads the environment, starts the roles, stops them when it is told to. */
async function main(): Promise<void> {
  const config = readConfig(WorkerConfig, process.env);
  const readyFile = openReadyFile(config.READY_FILE);
  readyFile.remove();
  const worker = await startWorker(config, fail, await openTracer("worker", config));
  readyFile.keep();
  process.send?.("ready");
  const stop = () => {
    readyFile.remove();
    const drainMs = config.DRAIN_SECONDS * 1_000;
    const late = new Error("What is in hand could not be handed back; others take it over in 20 seconds.");
    setTimeout(() => fail(late), drainMs + HAND_BACK_MS).unref();
    // Nothing is closed: what was handed back may still be at work here, and would take that for a failure.
    void worker.stop(AbortSignal.timeout(drainMs)).then(() => process.exit(0), fail);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
  // Whoever started this process with a channel to it wants it to end when they are gone.
  process.once("disconnect", stop);
}

function fail(error: unknown): never {
  const isUsers = error instanceof ConfigError || error instanceof ModelError;
  process.stderr.write(`${isUsers ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(isUsers ? 2 : 1);
}

main().catch(fail);
