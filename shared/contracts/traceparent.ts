import * as z from "zod";

/**
 * To which trace something belongs and under which of its spans, as one process tells another
 * (https://www.w3.org/TR/trace-context/#traceparent-header, version 00): `00-TRACE-SPAN-FLAGS`; 01 when the trace is recorded.
 */
export const Traceparent = z.string().regex(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/);
