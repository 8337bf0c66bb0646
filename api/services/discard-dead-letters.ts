import type { DeadLetterSelection, DeadLettersDone } from "../../shared/contracts/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { endDeadLetters } from "./end-dead-letters.ts";

/** Removes dead letters of a queue for good: what they asked for is never done. Throws AppError not_found. */
export const discardDeadLetters = (
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  queue: string,
  selection: DeadLetterSelection,
): Promise<DeadLettersDone> => endDeadLetters(deps, "discard", queue, selection);
