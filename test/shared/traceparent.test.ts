import { expect, test } from "vitest";
import { traceIdOf } from "../../api/trace-id.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

test.each([
  `00-${TRACE}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-00`,
  `01-${TRACE}-${PARENT}-01`,
  `01-${TRACE}-${PARENT}-01-more`,
])("the trace of %s is found", (traceparent) => {
  expect(traceIdOf(traceparent)).toBe(TRACE);
});

test.each([
  undefined,
  "",
  "anything",
  `ff-${TRACE}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-01-more`,
  `00-${TRACE}-${PARENT}`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${"0".repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE}-${PARENT}-01\n`,
])("%s is of no trace", (traceparent) => {
  expect(traceIdOf(traceparent)).toBeUndefined();
});
