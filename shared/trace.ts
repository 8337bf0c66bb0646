import { newTraceparent } from "./traceparent.ts";

/** What is known of a span: the fields of a line of the log, by the same names. What is undefined is left out. */
export type SpanFields = Record<string, string | number | boolean | null | undefined>;

/** What a span is when it begins. */
export interface SpanStart {
  /** Whether it answers a request, sends one, does a job of a queue, or is a step of one of these. */
  kind: "server" | "client" | "consumer" | "internal";
  /** The `traceparent` that it goes under; without one it begins a trace. */
  parent: string | undefined;
  /** When it began, in milliseconds since 1970; now when absent. */
  startedAt?: number;
}

/** A piece of work as a trace shows it. */
export interface Span {
  /** What goes on under it, here or in another process, has this `traceparent`. */
  readonly traceparent: string;
  rename(name: string): void;
  set(fields: SpanFields): void;
  /** Ends it: `error` says why it failed, `endedAt` when that was, in milliseconds since 1970; now when absent. */
  end(how?: { error?: string | undefined; endedAt?: number }): void;
}

/** Tells somebody of spans, or nobody. */
export interface Tracer {
  start(name: string, span: SpanStart): Span;
  /** Sends what has not been sent, within two seconds. */
  close(): Promise<void>;
}

/**
 * Tells nobody of spans, and keeps traces connected nevertheless: what has no trace gets one, and what has one is passed on
 * as it came, since nobody would find a span of ours in it. Runs anywhere.
 */
export const untold: Tracer = {
  start: (_name, { parent }) => ({
    traceparent: parent ?? newTraceparent(),
    rename: nothing,
    set: nothing,
    end: nothing,
  }),
  close: async () => {},
};

function nothing(): void {}

/** Does something within a span, which ends with it and has failed when it throws. */
export async function inSpan<Result>(
  tracer: Tracer,
  name: string,
  start: SpanStart,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = tracer.start(name, start);
  try {
    const result = await work(span);
    span.end();
    return result;
  } catch (error) {
    span.end({ error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
