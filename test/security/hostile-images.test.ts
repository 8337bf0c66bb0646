import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { PermanentError } from "../../shared/errors.ts";
import { createDecoder } from "../../worker/image/decoder.ts";
import type { Decoder } from "../../worker/image/decoder.ts";
import { demoSource } from "../../worker/model/demo.ts";
import { greyInEveryForm, inEveryOrientation, quadrants, sameInEveryForm } from "../support/images.ts";
import { imageBombs } from "./support/image-bombs.ts";
import { damage, damages } from "./support/mutate-image.ts";

const SIZE = 96;
const MB = 1_000_000;
/** Fixed, so that a failure comes again; it is told with the failure. */
const SEED = 20_261_122;
const CASES = 1_200;
const CODES = ["invalid_image", "unsupported_media_type", "image_too_large"];

/** A decoder as the `classify` role makes it. */
const decoder = (maxPixels: number): Decoder =>
  createDecoder({
    size: [SIZE, SIZE],
    cropMode: "center",
    cropPct: 0.875,
    interpolation: "bilinear",
    maxPixels,
  });

/** `pixels`, or how the decoder refused the file; anything else it does is shown as it is. */
async function outcomeOf(decode: Decoder, file: Uint8Array): Promise<string> {
  try {
    const pixels = await decode(file, "bulk");
    return pixels.length === SIZE * SIZE * 3 ? "pixels" : `${pixels.length} bytes`;
  } catch (error) {
    const isRefusal =
      error instanceof PermanentError &&
      CODES.includes(error.code) &&
      /^[A-Z][^\n]*[^\s:.]\.$/.test(error.message);
    return isRefusal ? error.code : String(error);
  }
}

const samples: Uint8Array[] = [];
beforeAll(async () => {
  const picture = quadrants(64, 48);
  samples.push(...Object.values(await sameInEveryForm(picture)));
  samples.push(...Object.values(await greyInEveryForm(picture)));
  samples.push(...(await inEveryOrientation(picture)).map(([, file]) => file));
  for (const name of ["qr_code_00.webp", "barcode_00.png", "pie_chart_04.jpg"])
    samples.push(readFileSync(join(demoSource("figures"), "samples", name)));
});

test(`${CASES} damaged images each end as pixels or as a refusal, in bounded memory`, async () => {
  const decode = decoder(4_000_000);
  for (const file of samples) expect(await outcomeOf(decode, file)).toBe("pixels");
  const before = process.memoryUsage().rss;
  const seen: Record<string, number> = {};
  const which = fc.nat(samples.length - 1);
  const together = fc.array(fc.tuple(which, which, damages), {
    minLength: 2 * availableParallelism(),
    maxLength: 2 * availableParallelism(),
  });
  await fc.assert(
    fc.asyncProperty(together, async (files) => {
      const outcomes = await Promise.all(
        files.map(([file, other, done]) =>
          outcomeOf(
            decode,
            damage(samples[file] ?? new Uint8Array(), samples[other] ?? new Uint8Array(), done),
          ),
        ),
      );
      for (const outcome of outcomes) {
        expect(["pixels", ...CODES]).toContain(outcome);
        seen[outcome] = (seen[outcome] ?? 0) + 1;
      }
    }),
    { seed: SEED, numRuns: Math.ceil(CASES / (2 * availableParallelism())) },
  );
  const { pixels = 0, invalid_image: invalid = 0 } = seen;
  expect(pixels + invalid).toBeGreaterThan(CASES / 2);
  expect(Math.min(pixels, invalid)).toBeGreaterThan(CASES / 20);
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * MB);
}, 120_000);

describe("what is small and wants much ends as pixels or as a refusal, soon and in bounded memory", async () => {
  const decode = decoder(100_000_000);
  const bombs = await imageBombs();
  test.each(Object.entries(bombs))("%s", async (_, file) => {
    expect(file.length).toBeLessThan(20 * MB);
    const before = process.resourceUsage().maxRSS;
    expect(["pixels", ...CODES]).toContain(await outcomeOf(decode, file));
    expect((process.resourceUsage().maxRSS - before) * 1024).toBeLessThan(300 * MB);
  });
});
