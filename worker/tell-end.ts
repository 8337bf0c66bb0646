import type { Logger } from "../shared/logger.ts";
import type { Span, SpanFields } from "../shared/trace.ts";
import { traceIdOf } from "../shared/traceparent.ts";

/** Tells how a job ended, once: by a line of the log, which says `what` it was, and by the same fields of its span. */
export function tellEnd(
  { logger, span }: { logger: Logger; span: Span },
  what: string,
  fields: SpanFields,
  level: "info" | "warn" | "error" = "info",
): void {
  span.set(fields);
  logger[level]({ trace_id: traceIdOf(span.traceparent), ...fields }, what);
}
