import { expect, test } from "vitest";
import { ItemError } from "../../shared/contracts/error.ts";
import { PermanentError, TransientError, toItemError } from "../../shared/errors.ts";

test("an error of a known kind shows its code, its sentence and whether trying again may help", () => {
  expect(toItemError(new PermanentError("invalid_image", "It is empty."))).toEqual({
    type: "/docs#invalid_image",
    title: "The image cannot be decoded",
    code: "invalid_image",
    detail: "It is empty.",
    retryable: false,
  });
  expect(toItemError(new TransientError("timeout", "It took 20 s."))).toMatchObject({
    code: "timeout",
    retryable: true,
  });
});

test.each([new Error("password hunter2"), "hunter2", undefined])(
  "an unknown error shows nothing of its inside",
  (thrown) => {
    const shown = toItemError(thrown);
    expect(ItemError.parse(shown)).toMatchObject({ code: "internal", retryable: true });
    expect(JSON.stringify(shown)).not.toContain("hunter2");
  },
);
