import { pino } from "pino";
import type { Logger } from "../../shared/logger.ts";

/** A line of the log, as it is written. `level` is a word. */
export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A logger, and every line that was written to it so far. */
export function openLog(): { logger: Logger; log: LogLine[] } {
  const log: LogLine[] = [];
  const logger = pino(
    { level: "debug", base: {}, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void log.push(JSON.parse(line) as LogLine) },
  );
  return { logger, log };
}
