import { Interrupted } from "./command.ts";
import { openProgress } from "./open-progress.ts";
import type { Progress } from "./open-progress.ts";

/**
 * Waits for work of the service and shows how far it is. Throws Interrupted on Ctrl-C, which leaves the work running.
 * @param left the id of what then goes on, or what to tell of it
 * @param things what is counted; images when absent
 */
export async function watch<Value>(
  err: NodeJS.WriteStream,
  left: string | (() => string),
  wait: (update: Progress["update"], signal: AbortSignal) => Promise<Value>,
  things?: "jobs",
): Promise<Value> {
  const leaving = new AbortController();
  const leave = () => leaving.abort(new Interrupted(typeof left === "string" ? goesOn(left) : left()));
  process.once("SIGINT", leave);
  const progress = openProgress(err, things);
  try {
    return await wait(progress.update, leaving.signal);
  } finally {
    progress.stop();
    process.off("SIGINT", leave);
  }
}

const goesOn = (id: string) => `${id} goes on. See it again by:\n  tresline status ${id} --wait`;
