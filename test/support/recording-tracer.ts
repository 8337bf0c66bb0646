import type { SpanFields, SpanStart, Tracer } from "../../shared/trace.ts";
import { newTraceparent, readTraceparent, writeTraceparent } from "../../shared/traceparent.ts";

/** A span that has ended, with the time it ended at, in milliseconds since 1970. */
export interface RecordedSpan extends SpanStart {
  name: string;
  traceparent: string;
  fields: SpanFields;
  error: string | undefined;
  startedAt: number;
  endedAt: number;
}

/** A tracer that keeps the spans that have ended, in that order. */
export function recordingTracer(): { tracer: Tracer; spans: RecordedSpan[] } {
  const spans: RecordedSpan[] = [];
  const tracer: Tracer = {
    start(name, start) {
      const { spanId } = readTraceparent(newTraceparent());
      const traceparent = writeTraceparent({ ...readTraceparent(start.parent ?? newTraceparent()), spanId });
      const span = { name, startedAt: Date.now(), ...start, traceparent, fields: {} };
      return {
        traceparent,
        rename: (better) => void (span.name = better),
        set: (fields) => void Object.assign(span.fields, fields),
        end: ({ error, endedAt = Date.now() } = {}) => void spans.push({ ...span, error, endedAt }),
      };
    },
    close: async () => {},
  };
  return { tracer, spans };
}
