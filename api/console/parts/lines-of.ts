import type { Sent } from "./read-form.ts";

/** What stands in a field that takes one thing a line, each once. */
export const linesOf = (sent: Sent, name: string): string[] => [
  ...new Set((sent[name] ?? []).flatMap((text) => text.split(/\s+/)).filter((line) => line !== "")),
];
