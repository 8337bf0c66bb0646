import { expect, test } from "vitest";
import { Traceparent } from "../../shared/contracts/traceparent.ts";
import {
  newTraceparent,
  parseTraceparent,
  readTraceparent,
  traceIdOf,
  writeTraceparent,
} from "../../shared/traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT = "00f067aa0ba902b7";

test.each([
  [`00-${TRACE}-${PARENT}-01`, "01"],
  [`00-${TRACE}-${PARENT}-00`, "00"],
  [`00-${TRACE}-${PARENT}-03`, "01"],
  [`00-${TRACE}-${PARENT}-fe`, "00"],
  [`01-${TRACE}-${PARENT}-01`, "01"],
  [`cc-${TRACE}-${PARENT}-01-more`, "01"],
])("%s is passed on with the flags %s", (header, flags) => {
  expect(parseTraceparent(header)).toBe(`00-${TRACE}-${PARENT}-${flags}`);
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
])("%s is of no trace", (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});

test("a new trace is recorded, has ids of its own, and is what jobs and headers may carry", () => {
  const made = Array.from({ length: 100 }, newTraceparent);
  expect(new Set(made.map(traceIdOf)).size).toBe(100);
  for (const traceparent of made) {
    expect(Traceparent.parse(traceparent)).toBe(traceparent);
    expect(parseTraceparent(traceparent)).toBe(traceparent);
    expect(readTraceparent(traceparent).isRecorded).toBe(true);
  }
});

test("what is taken apart is put together as it was", () => {
  for (const flags of ["00", "01"]) {
    const traceparent = `00-${TRACE}-${PARENT}-${flags}`;
    expect(writeTraceparent(readTraceparent(traceparent))).toBe(traceparent);
    expect(readTraceparent(traceparent)).toEqual({
      traceId: TRACE,
      spanId: PARENT,
      isRecorded: flags === "01",
    });
  }
});
