import { describe, expect, test } from "vitest";
import { PermanentError, TransientError } from "../../../shared/errors.ts";
import { outcomeOfAnswer, outcomeOfError } from "../../../worker/deliver/outcome.ts";

test.each([200, 201, 204, 299])("%i is a delivery", (status) => {
  expect(outcomeOfAnswer(status, undefined)).toEqual({ kind: "delivered", status });
});

test("410 is a receiver that wants no more", () => {
  expect(outcomeOfAnswer(410, undefined)).toMatchObject({ kind: "gone" });
});

test.each([301, 302, 307, 308])("%i is a failure that says that redirects are not followed", (status) => {
  const outcome = outcomeOfAnswer(status, undefined);
  expect(outcome).toEqual({
    kind: "retry",
    status,
    reason: expect.stringContaining("redirects are not followed"),
  });
});

test.each([400, 401, 404, 429, 500, 503])("%i is tried again", (status) => {
  expect(outcomeOfAnswer(status, undefined)).toEqual({
    kind: "retry",
    status,
    reason: `the receiver answered ${status}`,
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  test.each([
    ["120", 120],
    ["0", 0],
    ["Sun, 22 Nov 2026 12:01:30 GMT", 90],
    ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
  ])("%s is %i seconds", (header, seconds) => {
    expect(outcomeOfAnswer(503, header, now)).toMatchObject({ kind: "retry", retryAfterS: seconds });
  });

  test.each(["soon", "", "-5 minutes please"])("%j is no time and is left out", (header) => {
    expect(outcomeOfAnswer(503, header, now)).not.toHaveProperty("retryAfterS");
  });
});

test("trouble on the way and an address that may not be reached are tried again; a bug is not hidden", () => {
  const slow = new TransientError("timeout", "It took too long.");
  const forbidden = new PermanentError("fetch_forbidden", "It may not be fetched from.");
  expect(outcomeOfError(slow)).toEqual({ kind: "retry", reason: slow.message });
  expect(outcomeOfError(forbidden)).toEqual({ kind: "retry", reason: forbidden.message });
  expect(() => outcomeOfError(new TypeError("a bug"))).toThrow("a bug");
});
