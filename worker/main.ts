import { ConfigError, readConfig } from "../shared/config.ts";
import { openTracer } from "../shared/open-tracer.ts";
import { WorkerConfig } from "./config.ts";
import { ModelError } from "./model/model-error.ts";
import { openReadyFile } from "./ready-file.ts";
import { startWorker } from "./start.ts";

// ONNX Runtime for Linux would otherwise keep a device id in ~/.cache and a database of what it means to send home.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

/** Milliseconds to finish what is in hand after the process was told to stop. */
const DRAIN_MS = 25_000;

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
    void worker.close().then(() => process.exit(0), fail);
    setTimeout(() => fail(new Error("What is still in hand is left to another worker.")), DRAIN_MS).unref();
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
