import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { createLogger } from "./logger.ts";
import type { Logger } from "./logger.ts";
import { untold } from "./trace.ts";
import type { SpanFields, Tracer } from "./trace.ts";
import { readTraceparent, writeTraceparent } from "./traceparent.ts";
import { VERSION } from "./version.ts";

/** Spans that wait to be sent; more are dropped, so that a collector that is away costs no memory. */
const MOST_WAITING = 8_192;
/** Milliseconds between two sendings, unless one is full before. */
const SEND_EVERY_MS = 1_000;
/** Milliseconds to send what is left when the process ends. */
const LAST_SEND_MS = 2_000;

/**
 * Opens what tells a collector of spans by OpenTelemetry's protocol over HTTP, or `untold` when there is none. Where the
 * collector is and how it is spoken to are the variables `OTEL_EXPORTER_OTLP_…`, which the exporter reads itself. For Node only.
 * @param service what the spans are of, api or worker
 */
export async function openTracer(
  service: string,
  config: { OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined; LOG_LEVEL: string },
): Promise<Tracer> {
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return untold;
  // They take long to load, which only those wait for who have a collector.
  const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const detectors = [
    resources.serviceInstanceIdDetector,
    resources.resourceAttributesEnvDetector,
    resources.serviceNameEnvDetector,
  ];
  const provider = new sdk.TracerProvider({
    resource: resources
      .resourceFromAttributes({
        "service.name": `tresline-${service}`,
        "service.version": VERSION,
      })
      .merge(resources.detectResources({ detectors })),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: warnOnce(new OTLPTraceExporter(), createLogger(service, config.LOG_LEVEL)),
        maxQueueSize: MOST_WAITING,
        scheduledDelayMillis: SEND_EVERY_MS,
      }),
    ],
  });
  const tracer = provider.getTracer("tresline");
  const kinds = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    consumer: api.SpanKind.CONSUMER,
    internal: api.SpanKind.INTERNAL,
  };
  const under = (traceparent: string | undefined) => {
    if (traceparent === undefined) return api.ROOT_CONTEXT;
    const { isRecorded, ...ids } = readTraceparent(traceparent);
    return api.trace.setSpanContext(api.ROOT_CONTEXT, {
      ...ids,
      traceFlags: isRecorded ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
      isRemote: true,
    });
  };
  return {
    start(name, { kind, parent, startedAt }) {
      const options = { kind: kinds[kind], ...(startedAt !== undefined && { startTime: startedAt }) };
      const span = tracer.startSpan(name, options, under(parent));
      const { traceId, spanId } = span.spanContext();
      return {
        // Who asked that a trace is not recorded finds no span of ours in it.
        traceparent:
          parent !== undefined && !span.isRecording()
            ? parent
            : writeTraceparent({ traceId, spanId, isRecorded: span.isRecording() }),
        rename: (better) => void span.updateName(better),
        set: (fields) => void span.setAttributes(toAttributes(fields)),
        end({ error, endedAt } = {}) {
          if (error !== undefined) span.setStatus({ code: api.SpanStatusCode.ERROR, message: error });
          span.end(endedAt);
        },
      };
    },
    async close() {
      const tooLate = new Promise<void>((resolve) => setTimeout(resolve, LAST_SEND_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), tooLate]);
    },
  };
}

/** Fields of ours get the prefix `tresline.`; names with a dot are those of OpenTelemetry's conventions. */
function toAttributes(fields: SpanFields): Record<string, string | number | boolean> {
  const attributes: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== null)
      attributes[name.includes(".") ? name : `tresline.${name}`] = value;
  return attributes;
}

/** Warns when spans cannot be sent, and then not again before some could be. */
function warnOnce(exporter: SpanExporter, logger: Logger): SpanExporter {
  let isAway = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const { error } = result;
        if (error !== undefined && !isAway)
          logger.warn(
            { reason: error.message },
            "traces cannot be sent: their collector is away or refuses them",
          );
        else if (error === undefined && isAway) logger.info("traces are sent again");
        isAway = error !== undefined;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
