import { MOST_DEAD_LETTERS } from "../../shared/contracts/queue.ts";
import type { DeadLetterSelection, DeadLettersDone } from "../../shared/contracts/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { findQueue } from "./known-queues.ts";

/** What can be done to dead letters. */
export type DeadLetterVerb = "redrive" | "discard";

const DONE = { redrive: "redriven", discard: "discarded" } as const;

/**
 * Redrives or discards dead letters of a queue, a bounded number at a time. Of all of them only those are taken that died
 * before a moment, so that whoever goes on until none is left does not meet those again that die anew.
 * Throws AppError not_found when there is no such queue.
 */
export async function endDeadLetters(
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  verb: DeadLetterVerb,
  name: string,
  selection: DeadLetterSelection,
): Promise<DeadLettersDone> {
  const { name: queue } = await findQueue(deps, name);
  const { admin } = deps.queues;
  const before = new Date(
    "all" in selection && selection.before !== undefined ? selection.before : Date.now(),
  );
  const asked =
    "ids" in selection
      ? [...new Set(selection.ids)]
      : await admin.deadBefore(queue, before, MOST_DEAD_LETTERS);
  const ids = await admin[verb](queue, asked);
  const done = new Set(ids);
  return {
    object: DONE[verb],
    queue,
    ids,
    missing: "ids" in selection ? asked.filter((id) => !done.has(id)) : [],
    left: "ids" in selection ? 0 : await admin.countDeadBefore(queue, before),
    before: before.toISOString(),
  };
}
