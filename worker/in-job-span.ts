import { inSpan } from "../shared/trace.ts";
import type { Span, Tracer } from "../shared/trace.ts";

/**
 * Does one try of a job within a span of its own, which goes where the payload says in its trace. `work` gets the payload with
 * the span's own place instead, so that what it passes on goes under the span.
 */
export const inJobSpan = <Payload extends { traceparent?: string | undefined }, Result>(
  tracer: Tracer,
  name: string,
  payload: Payload,
  work: (payload: Payload & { traceparent: string }, span: Span) => Promise<Result>,
): Promise<Result> =>
  inSpan(tracer, name, { kind: "consumer", parent: payload.traceparent }, (span) => {
    span.set({ "messaging.system": "bullmq", "messaging.operation.type": "process" });
    return work({ ...payload, traceparent: span.traceparent }, span);
  });
