import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A process of the service that is started again whenever it ends, as an orchestrator would. */
export interface KeptProcess {
  /** Returns when the first one has said that it is ready. */
  ready: Promise<void>;
  /** How often it was started. */
  starts: () => number;
  /** Sends a signal to the one that runs now, ready or not; to the next when it has just ended. */
  signal: (signal: NodeJS.Signals) => Promise<void>;
  /** Ends it for good: SIGTERM, and SIGKILL after `graceMs` milliseconds. */
  stop: (graceMs: number) => Promise<void>;
}

/** What to run. */
export interface KeptProcessOptions {
  /** The entry, relative to the project. */
  entry: string;
  env: Record<string, string | undefined>;
  logFile: string;
}

const PROJECT = join(import.meta.dirname, "../..");
const RESTART_AFTER_MS = 300;
const LOOK_MS = 20;

/** Starts an entry and keeps it running until it is stopped. */
export function keepProcess({ entry, env, logFile }: KeptProcessOptions): KeptProcess {
  let child: ChildProcess;
  let starts = 0;
  let isStopping = false;
  const ready = Promise.withResolvers<void>();
  const startAgain = () => void setTimeout(start, RESTART_AFTER_MS);
  const start = () => {
    if (isStopping) return;
    starts++;
    const log = openSync(logFile, "a");
    // It ends with this process, which holds the channel to it.
    const started = spawn(process.execPath, [join(PROJECT, entry)], {
      env,
      stdio: ["ignore", log, log, "ipc"],
    });
    closeSync(log);
    child = started;
    started.once("message", () => ready.resolve());
    started.once("exit", startAgain);
    started.on("error", () => started.pid === undefined && startAgain());
  };
  start();
  return {
    ready: ready.promise,
    starts: () => starts,
    async signal(signal) {
      while (!child.kill(signal)) await sleep(LOOK_MS);
    },
    async stop(graceMs) {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
