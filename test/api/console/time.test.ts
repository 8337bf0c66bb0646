import { expect, test } from "vitest";
import { duration, timeAgo } from "../../../api/console/parts/time.ts";

test.each([
  [0, "just now"],
  [-30, "just now"],
  [3, "just now"],
  [50, "in a moment"],
  [-110, "2 min. ago"],
  [-2 * 3_600, "2 hr. ago"],
  [-86_400, "yesterday"],
  [-20 * 86_400, "20 days ago"],
  [3 * 3_600 + 60, "in 3 hr."],
])("a time %i seconds from now is told as %j, and in full to whoever points at it", async (seconds, told) => {
  const time = new Date(Date.now() + seconds * 1_000).toISOString();
  expect(String(await timeAgo(time))).toBe(`<time datetime="${time}" title="${time}">${told}</time>`);
});

test("no time is a dash", async () => {
  expect(String(await timeAgo(null))).toContain("–");
});

test.each([
  [0.4, "0 ms"],
  [41.2, "41 ms"],
  [1_300, "1.3 s"],
  [250_000, "4 min 10 s"],
  [7_500_000, "2 h 5 min"],
])("%d ms are told as %j", (ms, told) => {
  expect(duration(ms)).toBe(told);
});
