import { PermanentError } from "../../shared/errors.ts";

/**
 * Runs something with a signal that is aborted when `unwanted` is, and at `deadline` (RFC 3339; null for none), its reason a
 * PermanentError deadline_exceeded.
 */
export async function withDeadline<Result>(
  deadline: string | null,
  unwanted: AbortSignal,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  if (deadline === null) return run(unwanted);
  const controller = new AbortController();
  const abort = () =>
    controller.abort(new PermanentError("deadline_exceeded", `It was not run before ${deadline}.`));
  const left = Date.parse(deadline) - Date.now();
  const timer = setTimeout(abort, Math.max(0, left));
  if (left <= 0) abort();
  try {
    controller.signal.throwIfAborted();
    return await run(AbortSignal.any([unwanted, controller.signal]));
  } finally {
    clearTimeout(timer);
  }
}
