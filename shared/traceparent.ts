/**
 * The place of something in a trace that begins with it: to be recorded by everybody who can, since nobody has decided otherwise.
 * Its ids are parts of UUIDs, which runtimes make in advance: other randomness takes longer than parsing a job.
 */
export const newTraceparent = (): string =>
  writeTraceparent({ traceId: randomHex(), spanId: randomHex().slice(0, 16), isRecorded: true });

/** The id of the trace: what its lines in all logs have as `trace_id`. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);

/** What names a place in a trace: 32 hexadecimal digits, 16 of them, and whether the trace is recorded. */
export interface SpanIds {
  traceId: string;
  spanId: string;
  isRecorded: boolean;
}

/** Takes a `traceparent` apart that was parsed. */
export const readTraceparent = (traceparent: string): SpanIds => ({
  traceId: traceIdOf(traceparent),
  spanId: traceparent.slice(36, 52),
  isRecorded: isRecorded(traceparent.slice(53)),
});

/** Puts one together. */
export const writeTraceparent = ({ traceId, spanId, isRecorded: recorded }: SpanIds): string =>
  `00-${traceId}-${spanId}-${recorded ? "01" : "00"}`;

/**
 * The `traceparent` that a header is, in the form in which it is passed on; undefined without a valid one. Of a version to
 * come the part is taken that every version has (https://www.w3.org/TR/trace-context/#versioning-of-traceparent).
 */
export function parseTraceparent(header: string | undefined): string | undefined {
  const [, version, traceId, spanId, flags = "", rest] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header ?? "") ?? [];
  const isVersion = version !== "ff" && (version !== "00" || rest === undefined);
  const isNone = /^0+$/;
  if (traceId === undefined || spanId === undefined || !isVersion) return undefined;
  if (isNone.test(traceId) || isNone.test(spanId)) return undefined;
  return writeTraceparent({ traceId, spanId, isRecorded: isRecorded(flags) });
}

/** The lowest bit of the flags; the others mean nothing to us and are not passed on. */
const isRecorded = (flags: string) => Number.parseInt(flags, 16) % 2 === 1;

const randomHex = () => crypto.randomUUID().replaceAll("-", "");
