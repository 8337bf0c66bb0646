import { Interrupted } from "./command.ts";
import { openProgress } from "./open-progress.ts";
import type { Progress } from "./open-progress.ts";

/** What is waited for. */
export interface Watched<Value> {
  /** What to tell whoever stops waiting: what goes on, and the command that shows it again. */
  left: () => string;
  wait: (update: Progress["update"], signal: AbortSignal) => Promise<Value>;
}

/** Waits for work of the service and shows how far it is. Throws Interrupted on Ctrl-C, which leaves the work running. */
export async function watch<Value>(err: NodeJS.WriteStream, { left, wait }: Watched<Value>): Promise<Value> {
  const leaving = new AbortController();
  const leave = () => leaving.abort(new Interrupted(left()));
  process.once("SIGINT", leave);
  const progress = openProgress(err);
  try {
    return await wait(progress.update, leaving.signal);
  } finally {
    progress.stop();
    process.off("SIGINT", leave);
  }
}
