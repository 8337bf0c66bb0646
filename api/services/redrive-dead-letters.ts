import type { DeadLetterSelection, DeadLettersDone } from "../../shared/contracts/queue.ts";
import type { ApiDeps } from "../deps.ts";
import { endDeadLetters } from "./end-dead-letters.ts";

/** Makes dead letters of a queue wait again, as if they had never been tried. Throws AppError not_found. */
export const redriveDeadLetters = (
  deps: Pick<ApiDeps, "config" | "redis" | "queues">,
  queue: string,
  selection: DeadLetterSelection,
): Promise<DeadLettersDone> => endDeadLetters(deps, "redrive", queue, selection);
