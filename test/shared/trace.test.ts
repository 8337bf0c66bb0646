import { expect, test } from "vitest";
import { inSpan, untold } from "../../shared/trace.ts";
import { newTraceparent, traceIdOf } from "../../shared/traceparent.ts";
import { recordingTracer } from "../support/recording-tracer.ts";

const START = { kind: "internal" as const, parent: newTraceparent() };

test("without a collector what has a trace is passed on as it came, and what has none begins one", () => {
  expect(untold.start("a", START).traceparent).toBe(START.parent);
  const begun = ["a", "b"].map((name) => untold.start(name, { ...START, parent: undefined }).traceparent);
  expect(new Set(begun.map(traceIdOf)).size).toBe(2);
});

test("a span ends with what is done in it", async () => {
  const { tracer, spans } = recordingTracer();
  const result = await inSpan(tracer, "work", START, async (span) => {
    span.set({ id: "a" });
    span.rename("better work");
    expect(spans).toEqual([]);
    return 1;
  });
  expect(result).toBe(1);
  expect(spans).toEqual([
    expect.objectContaining({ name: "better work", fields: { id: "a" }, error: undefined }),
  ]);
});

test("what is thrown is why the span failed, and is thrown on", async () => {
  const { tracer, spans } = recordingTracer();
  const failing = inSpan(tracer, "work", START, () => Promise.reject(new Error("S3 is away.")));
  await expect(failing).rejects.toThrow("S3 is away.");
  expect(spans).toEqual([expect.objectContaining({ name: "work", error: "S3 is away." })]);
});
