import type { Queues } from "../client/queues.ts";
import { UsageError } from "./command.ts";

/** The names of the queues that a command was given: one, or with `--all` all that there are. Throws UsageError. */
export async function readQueues(
  command: string,
  [name, ...more]: readonly string[],
  all: boolean | undefined,
  queues: Pick<Queues, "list">,
): Promise<string[]> {
  if ((name === undefined) !== (all ?? false) || more.length > 0)
    throw new UsageError(`${command} takes the name of one queue, or --all.`);
  return name === undefined ? (await queues.list()).map(({ id }) => id) : [name];
}
