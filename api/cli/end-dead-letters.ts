import { MOST_DEAD_LETTERS } from "../../shared/contracts/queue.ts";
import type { DeadLetterSelection, DeadLettersDone } from "../../shared/contracts/queue.ts";
import type { Context } from "./command.ts";
import { UsageError } from "./command.ts";
import { openProgress } from "./open-progress.ts";

/** The options that say which dead letters. */
export const DEAD_LETTER_OPTIONS = {
  id: { type: "string", multiple: true },
  all: { type: "boolean" },
} as const;

/** Redrives or discards dead letters of one queue, request by request, and prints what became of them. Gives the exit code: 1 when some were none. */
export async function endDeadLetters(
  verb: "redrive" | "discard",
  [queue, ...more]: readonly string[],
  { id: ids = [], all = false }: { id?: string[] | undefined; all?: boolean | undefined },
  { connect, asJson, out, err }: Context,
): Promise<number> {
  if (queue === undefined || more.length > 0 || ids.length > 0 === all || ids.length > MOST_DEAD_LETTERS)
    throw new UsageError(
      `admin ${verb} takes the name of one queue and --all, or --id up to ${MOST_DEAD_LETTERS} times.`,
    );
  const { queues } = connect();
  const progress = openProgress(err, "jobs");
  let selection: DeadLetterSelection = all ? { all: true } : { ids };
  let count = 0;
  for (;;) {
    const done: DeadLettersDone = await queues[verb](queue, selection);
    count += done.ids.length;
    progress.update(count, count + done.left);
    if (asJson) await out(`${JSON.stringify(done)}\n`);
    else for (const each of done.missing) err.write(`tresline: ${each} is no dead letter of ${queue}.\n`);
    if (done.left === 0 || done.ids.length === 0) {
      progress.stop();
      if (!asJson) await out(said(verb, count, queue));
      return done.missing.length === 0 ? 0 : 1;
    }
    selection = { all: true, before: done.before };
  }
}

const said = (verb: "redrive" | "discard", count: number, queue: string) =>
  verb === "redrive"
    ? `${count} dead letters of ${queue} wait again. See: tresline admin inspect ${queue}\n`
    : `${count} dead letters of ${queue} are gone.\n`;
