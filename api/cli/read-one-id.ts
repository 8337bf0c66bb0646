import { UsageError } from "./command.ts";

/** The one id, which begins with `prefix`, that a command was given. Throws UsageError. */
export function readOneId(command: string, prefix: string, [id, ...more]: readonly string[]): string {
  if (id === undefined || !id.startsWith(prefix) || more.length > 0)
    throw new UsageError(`${command} takes one id, which begins with ${prefix}.`);
  return id;
}
