import { pino } from "pino";
import type { Logger as PinoLogger } from "pino";

/** Writes one JSON line an event to standard output. */
export type Logger = PinoLogger;

/** Opens a logger. `service` (api, worker) stands in every line; times are RFC 3339; errors are told as `toLoggedError` does. */
export const createLogger = (service: string, level: string): Logger =>
  pino({
    level,
    base: { service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: toLoggedError },
  });

/** What is logged of an error. */
export interface LoggedError {
  type: string;
  message: string;
  code?: unknown;
  stack?: string | undefined;
  cause?: LoggedError;
  errors?: LoggedError[];
}

/** How many errors are told that caused one another. */
const MAX_CAUSES = 5;

/**
 * An error without the fields that vendors add to it: ioredis keeps the command with all of its arguments, a password or
 * the secret of a webhook among them, and HTTP clients keep requests and their headers.
 */
export function toLoggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { name, message, stack, cause } = error;
  const goesOn = depth < MAX_CAUSES;
  return {
    type: name,
    message,
    ...("code" in error && { code: error.code }),
    stack,
    ...(cause !== undefined && goesOn && { cause: toLoggedError(cause, depth + 1) }),
    ...(error instanceof AggregateError &&
      goesOn && { errors: error.errors.map((each: unknown) => toLoggedError(each, depth + 1)) }),
  };
}
