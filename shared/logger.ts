import { pino } from "pino";
import type { Logger as PinoLogger } from "pino";

/** Writes one JSON line an event to standard output. */
export type Logger = PinoLogger;

/** Opens a logger. `service` (api, worker) stands in every line; times are RFC 3339. */
export const createLogger = (service: string, level: string): Logger =>
  pino({
    level,
    base: { service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  });
