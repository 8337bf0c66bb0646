import { expect, test } from "vitest";
import { printDuration } from "../../../api/cli/print-duration.ts";

test.each([
  [0.0333, "33 ms"],
  [0.96, "1.0 s"],
  [3.21, "3.2 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 0 s"],
  [125, "2 min 5 s"],
  [11_550, "3 h 12 min"],
])("%d s is %s for a person", (seconds, text) => {
  expect(printDuration(seconds)).toBe(text);
});
