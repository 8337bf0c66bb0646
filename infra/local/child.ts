import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { WriteStream } from "node:fs";
import { join } from "node:path";
import { StartError } from "./start-error.ts";

/** A process of ours that is kept running until it is stopped. */
export interface Child {
  /** What it said when it was ready. */
  ready: unknown;
  /** Asks it to finish what is in hand and end; it is killed after `graceMs` milliseconds. */
  stop: (graceMs: number) => Promise<void>;
  /** The id of the process that runs now. */
  pid: () => number | undefined;
}

/** What to run. */
export interface ChildOptions {
  name: string;
  /** The entry, relative to the project. */
  entry: string;
  env: Record<string, string | undefined>;
  log: WriteStream;
  /** Called when it ended by itself and is started again. */
  onRestart: (message: string) => void;
}

const PROJECT = join(import.meta.dirname, "../..");
const RESTART_AFTER_MS = 1_000;

/** Starts an entry as a process, returns when it says that it is ready, and starts it again whenever it ends by itself. */
export async function startChild(options: ChildOptions): Promise<Child> {
  let stopping = false;
  let { child, ready } = await launch(options);
  const watch = () =>
    child.once("exit", (code, signal) => {
      if (stopping) return;
      options.onRestart(`The ${options.name} ended (${signal ?? `exit code ${code}`}); starting it again.`);
      setTimeout(() => void relaunch(), RESTART_AFTER_MS);
    });
  const relaunch = async () => {
    if (stopping) return;
    try {
      ({ child, ready } = await launch(options));
      if (stopping) child.kill("SIGTERM");
      watch();
    } catch (error) {
      options.onRestart(error instanceof Error ? error.message : String(error));
      setTimeout(() => void relaunch(), RESTART_AFTER_MS);
    }
  };
  watch();
  return {
    ready,
    pid: () => child.pid,
    async stop(graceMs) {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function launch({
  name,
  entry,
  env,
  log,
}: ChildOptions): Promise<{ child: ChildProcess; ready: unknown }> {
  // A process group of its own: a Ctrl-C in the terminal reaches only us, and we stop the parts in their order.
  const child = spawn(process.execPath, [join(PROJECT, entry)], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
  });
  let complaint = "";
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  child.stderr?.on("data", (data: Buffer) => (complaint = (complaint + data.toString()).slice(-4_000)));
  const ended = once(child, "exit").then(([code]) => {
    throw new StartError(complaint.trim() || `The ${name} ended with exit code ${code} while it started.`);
  });
  const [ready] = (await Promise.race([once(child, "message"), ended])) as [unknown];
  ended.catch(() => {});
  return { child, ready };
}
