import { PermanentError } from "../../shared/errors.ts";

/** Runs something with a signal that is aborted at `deadline` (RFC 3339), its reason a PermanentError deadline_exceeded; without a deadline there is no signal. */
export async function withDeadline<Result>(
  deadline: string | null,
  run: (signal: AbortSignal | undefined) => Promise<Result>,
): Promise<Result> {
  if (deadline === null) return run(undefined);
  const controller = new AbortController();
  const abort = () =>
    controller.abort(new PermanentError("deadline_exceeded", `It was not run before ${deadline}.`));
  const left = Date.parse(deadline) - Date.now();
  const timer = setTimeout(abort, Math.max(0, left));
  if (left <= 0) abort();
  try {
    controller.signal.throwIfAborted();
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
