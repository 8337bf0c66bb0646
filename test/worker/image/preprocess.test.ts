import { beforeAll, describe, expect, test } from "vitest";
import { PermanentError } from "../../../shared/errors.ts";
import { configureSharp, preprocess } from "../../../worker/image/preprocess.ts";
import type { PreprocessOptions } from "../../../worker/image/preprocess.ts";
import {
  QUADRANTS,
  badImages,
  greyInEveryForm,
  inEveryOrientation,
  oneBitPng,
  quadrants,
  sameInEveryForm,
  translucent,
} from "../../support/images.ts";
import { longPng } from "../../security/support/image-bombs.ts";

const SIZE = 96;
const squash: PreprocessOptions = {
  size: [SIZE, SIZE],
  cropMode: "squash",
  cropPct: 1,
  interpolation: "bilinear",
  maxPixels: 100_000_000,
};
const centre: PreprocessOptions = { ...squash, cropMode: "center", cropPct: 0.875 };

beforeAll(configureSharp);

type Colour = (x: number, y: number) => readonly number[];

/** The largest difference in any channel from the colours wanted, away from the edges between quadrants, where both blur. */
function furthest(pixels: Uint8Array, wanted: Colour, size = SIZE): number {
  const isEdge = (at: number) => Math.abs(at + 0.5 - size / 2) < 4;
  let largest = 0;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      if (!isEdge(x) && !isEdge(y))
        for (const [channel, value] of wanted(x, y).entries())
          largest = Math.max(largest, Math.abs((pixels[(y * size + x) * 3 + channel] ?? NaN) - value));
  return largest;
}

const upright: Colour = (x, y) => QUADRANTS[(y < SIZE / 2 ? 0 : 2) + (x < SIZE / 2 ? 0 : 1)] ?? [];
const overWhite: Colour = (x, y) => upright(x, y).map((value) => value * 0.5 + 255 * 0.5);
const redAsGrey: Colour = (x, y) => Array<number>(3).fill(upright(x, y)[0] ?? 0);

/** What a picture is whose red says how far to the right a pixel is and whose green says how far down. */
const slopes: Colour = (x, y) => [((x + 0.5) / SIZE) * 255, ((y + 0.5) / SIZE) * 255, 0];

function slope(width: number, height: number): Promise<Uint8Array> {
  const picture = quadrants(width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      picture.data.set([((x + 0.5) / width) * 255, ((y + 0.5) / height) * 255, 0], (y * width + x) * 3);
  return translucent(picture, 1);
}

describe("the same picture gives the same pixels", async () => {
  const forms = await sameInEveryForm(quadrants(400, 300));
  test.each(Object.entries(forms))("as %s", async (name, file) => {
    const tolerance = name === "CMYK JPEG" ? 24 : 6;
    expect(furthest(await preprocess(file, squash), upright)).toBeLessThanOrEqual(tolerance);
  });

  const orientations = await inEveryOrientation(quadrants(400, 300));
  test.each(orientations)("stored in EXIF orientation %i", async (_, file) => {
    expect(furthest(await preprocess(file, squash), upright)).toBeLessThanOrEqual(4);
  });
});

test("a picture without colour is grey in all three channels, in every form", async () => {
  const grey = quadrants(400, 300);
  grey.data = grey.data.map((_, i, all) => all[i - (i % 3)] ?? 0);
  for (const file of Object.values(await greyInEveryForm(grey)))
    expect(furthest(await preprocess(file, squash), redAsGrey)).toBeLessThanOrEqual(2);
});

test("a PNG of one bit a pixel is black and white", async () => {
  const pixels = await preprocess(await oneBitPng(400, 300, 200), squash);
  expect(furthest(pixels, (x) => (x < SIZE / 2 ? [0, 0, 0] : [255, 255, 255]))).toBe(0);
});

test("what is transparent shows white", async () => {
  const picture = quadrants(400, 300);
  const half = await preprocess(await translucent(picture, 0.5), squash);
  expect(furthest(half, overWhite)).toBeLessThanOrEqual(2);
  const nothing = await preprocess(await translucent(picture, 0), squash);
  expect(nothing.every((value) => value === 255)).toBe(true);
});

describe("geometry", () => {
  test("squash shows all of the picture, each side scaled by itself", async () => {
    const pixels = await preprocess(await slope(400, 200), squash);
    expect(furthest(pixels, slopes)).toBeLessThanOrEqual(1.5);
  });

  // Short side to floor(96 / 0.875) = 109, the long one to 218; of that the middle 96 x 96.
  test.each([
    [400, 200, 218, 109],
    [200, 400, 109, 218],
  ])("center of %i x %i scales to %i x %i and cuts out the middle", async (width, height, across, down) => {
    const pixels = await preprocess(await slope(width, height), centre);
    const left = Math.floor((across - SIZE) / 2);
    const top = Math.floor((down - SIZE) / 2);
    const wanted: Colour = (x, y) => [((left + x + 0.5) / across) * 255, ((top + y + 0.5) / down) * 255, 0];
    expect(furthest(pixels, wanted)).toBeLessThanOrEqual(1.5);
  });

  test("height comes before width in the size of a model that is not square", async () => {
    const pixels = await preprocess(await slope(400, 200), { ...squash, size: [32, 64] });
    expect(pixels.length).toBe(32 * 64 * 3);
    expect(pixels[63 * 3]).toBeGreaterThan(250);
    expect(pixels[31 * 64 * 3 + 1]).toBeGreaterThan(245);
  });

  test.each([
    [1, 1],
    [1, 5_000],
    [5_000, 1],
    [3, 65_000],
  ])("a picture of %i x %i is labelled like any other", async (width, height) => {
    const file = await oneBitPng(width, height, 0);
    for (const options of [squash, centre]) {
      const pixels = await preprocess(file, options);
      expect(pixels.length).toBe(SIZE * SIZE * 3);
      expect(pixels.every((value) => value === 255)).toBe(true);
    }
  });
});

describe("what can never be decoded fails with its code and a clear sentence", async () => {
  const bad = await badImages();
  test.each(Object.entries(bad))("%s", async (_, { bytes, code, says }) => {
    const error = await preprocess(bytes, squash).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
  });
});

test("a picture of 30000 x 30000 is refused before it is decoded: it takes no memory", async () => {
  const file = await oneBitPng(30_000, 30_000, 0);
  const before = process.resourceUsage().maxRSS;
  for (let i = 0; i < 5; i++) await expect(preprocess(file, squash)).rejects.toThrow(PermanentError);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(64 * 1024);
});

test("a picture of the most pixels allowed is decoded a strip at a time", async () => {
  const file = await oneBitPng(30_000, 30_000, 0);
  const before = process.resourceUsage().maxRSS;
  const pixels = await preprocess(file, { ...squash, maxPixels: 900_000_000 });
  expect(pixels.every((value) => value === 255)).toBe(true);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(256 * 1024);
});

test("libvips is stopped between strips of the result when it takes too long", async () => {
  const options: PreprocessOptions = { ...squash, size: [1_024, 1_024], maxPixels: 14_400_000_000 };
  const error = await preprocess(longPng(120_000), options, 1).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    name: "PermanentError",
    code: "timeout",
    message: "The image was not decoded within 1 s; send one that is smaller or simpler.",
  });
});
