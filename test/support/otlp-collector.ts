import { z } from "zod";
import { startTestServer } from "./http-server.ts";
import type { TestServer } from "./http-server.ts";

const Attributes = z
  .array(
    z.object({
      key: z.string(),
      value: z.object({
        stringValue: z.string().optional(),
        intValue: z.union([z.number(), z.string()]).optional(),
        doubleValue: z.number().optional(),
        boolValue: z.boolean().optional(),
      }),
    }),
  )
  .transform((list) =>
    Object.fromEntries(
      list.map(({ key, value }) => [
        key,
        value.stringValue ?? value.boolValue ?? Number(value.intValue ?? value.doubleValue),
      ]),
    ),
  );

const Span = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: Attributes,
  status: z.object({ code: z.int().default(0), message: z.string().optional() }),
});

/** The body of OTLP over HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding), as far as spans are looked at. */
const ExportRequest = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
});

/** A span as a collector has it, with what it knows of the process that sent it. */
export type CollectedSpan = z.output<typeof Span> & { resource: z.output<typeof Attributes> };

/** A collector of traces, as processes are told of one by `OTEL_EXPORTER_OTLP_ENDPOINT`. Stopping it again changes nothing. */
export interface OtlpCollector extends Pick<TestServer, "url" | "stop"> {
  /** All spans of a trace so far. */
  spansOf: (traceId: string) => CollectedSpan[];
}

/** Starts one; to be stopped in `afterAll`. */
export async function startOtlpCollector(): Promise<OtlpCollector> {
  const spans: CollectedSpan[] = [];
  const { url, stop } = await startTestServer(({ path, body }) => {
    if (path !== "/v1/traces") return { status: 404 };
    for (const { resource, scopeSpans } of ExportRequest.parse(JSON.parse(body)).resourceSpans)
      for (const span of scopeSpans.flatMap((scope) => scope.spans))
        spans.push({ ...span, resource: resource.attributes });
    return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from("{}") };
  });
  let stopping: Promise<void> | undefined;
  return {
    url,
    stop: () => (stopping ??= stop()),
    spansOf: (traceId) => spans.filter((span) => span.traceId === traceId),
  };
}
