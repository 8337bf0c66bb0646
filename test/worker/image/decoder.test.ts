import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { createDecoder } from "../../../worker/image/decoder.ts";
import { longPng } from "../../security/support/image-bombs.ts";
import { oneBitPng } from "../../support/images.ts";

const options = {
  size: [32, 32],
  cropMode: "squash",
  cropPct: 1,
  interpolation: "bilinear",
  maxPixels: 32_000 ** 2,
} as const;

test("an image that takes too long is given up in time, and keeps its place until libvips is done with it", async () => {
  const decode = createDecoder(options, 0.02);
  const long = longPng(32_000);
  const ended: string[] = [];
  const slow = Array.from({ length: availableParallelism() }, () =>
    decode(long, "bulk").catch((error: { code: string; message: string }) => {
      ended.push(error.code);
      return error.message;
    }),
  );
  const small = decode(await oneBitPng(8, 8, 0), "interactive").then(() => ended.push("pixels"));
  expect(new Set(await Promise.all(slow))).toEqual(
    new Set(["The image was not decoded within 0.02 s; send one that is smaller or simpler."]),
  );
  await small;
  expect(ended.at(-1)).toBe("pixels");
  expect(new Set(ended.slice(0, -1))).toEqual(new Set(["timeout"]));
});

test("an image that cannot be decoded fails alone", async () => {
  const decode = createDecoder(options);
  const files = [await oneBitPng(8, 8, 0), Buffer.from("no image"), await oneBitPng(8, 16, 0)];
  const outcomes = await Promise.all(
    files.map((file) =>
      decode(file, "bulk").then(
        ({ length }) => length,
        ({ code }: { code: string }) => code,
      ),
    ),
  );
  expect(outcomes).toEqual([32 * 32 * 3, "invalid_image", 32 * 32 * 3]);
});
