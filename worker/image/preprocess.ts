import sharp from "sharp";
import type { KernelEnum, Sharp } from "sharp";
import { PermanentError } from "../../shared/errors.ts";

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How a model wants its images: the `preprocess` and `input` of its model.json. */
export interface PreprocessOptions {
  /** Height and width of the result. */
  size: readonly [number, number];
  /** `center` scales the short side to size / cropPct and cuts out the middle; `squash` scales both sides to size. */
  cropMode: "center" | "squash";
  cropPct: number;
  interpolation: "bilinear" | "bicubic";
  /** The most pixels, width times height, that are decoded. */
  maxPixels: number;
}

/** libvips's name of an interpolation; both are antialiased when they make smaller. */
const KERNELS = { bilinear: "linear", bicubic: "cubic" } as const;

/** The formats that are decoded, by sharp's names. */
const FORMATS = new Set(["jpeg", "png", "webp", "gif", "tiff", "heif", "avif"]);

/** What opens them in libvips. */
const LOADERS = ["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"].map((name) => `VipsForeignLoad${name}`);

/** Seconds after which an image is given up. */
export const DECODE_TIMEOUT_S = 30;

/**
 * Sets libvips up for many small images at once: one thread an image, nothing cached, and no other format even opened, SVG
 * above all, which is a program rather than a picture. To be called once, before the first image.
 */
export function configureSharp(): void {
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: LOADERS });
  sharp.cache(false);
  sharp.concurrency(1);
}

/** An image of which the header has been read. */
export interface OpenedImage {
  /** Width times height. */
  pixels: number;
  /** Does what `preprocess` does, and throws what it throws. */
  decode: () => Promise<Uint8Array>;
}

/**
 * Decodes an image and scales it as the model was evaluated: antialiased, upright by its EXIF orientation, in sRGB,
 * transparency over white, the first frame of an animation. libvips stops at the
 * first strip of the result that is ready after `timeoutS` seconds.
 * @returns uint8 [H, W, 3], 0 to 255
 * @throws PermanentError invalid_image, unsupported_media_type, image_too_large or timeout
 */
export async function preprocess(
  file: Uint8Array,
  options: PreprocessOptions,
  timeoutS = DECODE_TIMEOUT_S,
): Promise<Uint8Array> {
  const image = await openImage(file, options, timeoutS);
  return image.decode();
}

/** The first step of `preprocess`, which takes neither time nor memory. Throws what that throws. */
export async function openImage(
  file: Uint8Array,
  options: PreprocessOptions,
  timeoutS = DECODE_TIMEOUT_S,
): Promise<OpenedImage> {
  if (file.byteLength === 0) throw new PermanentError("invalid_image", "The image is empty: it has 0 bytes.");
  const image = sharp(file, { limitInputPixels: options.maxPixels, failOn: "error" });
  const refuse = refusal(file, options.maxPixels, timeoutS);
  const size = await uprightSize(image).catch(refuse);
  const decode = async () => {
    const upright = image
      .autoOrient()
      .flatten({ background: "#fff" })
      .timeout({ seconds: Math.ceil(timeoutS) });
    const scaled = scaledSize(size.width, size.height, options);
    const kernel = KERNELS[options.interpolation];
    const pixels = await scaleAndCrop(upright, size, scaled, options.size, kernel).catch(refuse);
    const expected = options.size[0] * options.size[1] * 3;
    if (pixels.byteLength !== expected)
      throw new Error(
        `An image was decoded to ${pixels.byteLength} bytes instead of ${expected}. This is a bug.`,
      );
    return pixels;
  };
  return { pixels: size.width * size.height, decode };
}

/**
 * libvips enlarges with a shift of half a pixel of the result (8.18.7, on both sides as soon as one grows). So one side is never made smaller and the other larger
 * at once, and what grows is made twice as large as it is to be: of each two pixels the second lies where the wanted one should.
 */
async function scaleAndCrop(
  image: Sharp,
  from: Size,
  to: Size,
  [rows, columns]: readonly [number, number],
  kernel: keyof KernelEnum,
): Promise<Uint8Array> {
  const smaller = { width: Math.min(from.width, to.width), height: Math.min(from.height, to.height) };
  const grows = smaller.width < to.width || smaller.height < to.height;
  if (grows && (smaller.width < from.width || smaller.height < from.height)) {
    const data = await rgb(resized(image, smaller, kernel));
    return scaleAndCrop(
      sharp(data, { raw: { ...smaller, channels: 3 } }),
      smaller,
      to,
      [rows, columns],
      kernel,
    );
  }
  const times = grows ? 2 : 1;
  const scaled = resized(image, { width: to.width * times, height: to.height * times }, kernel).extract({
    left: Math.floor((to.width - columns) / 2) * times,
    top: Math.floor((to.height - rows) / 2) * times,
    width: columns * times,
    height: rows * times,
  });
  const pixels = await rgb(scaled);
  return grows ? secondOfEachTwo(pixels, rows, columns) : pixels;
}

/** Letting the JPEG or WebP decoder do most of the scaling is a fifth faster and moves pixels by up to 40 %. */
const resized = (image: Sharp, size: Size, kernel: keyof KernelEnum) =>
  image.resize({ ...size, fit: "fill", kernel, fastShrinkOnLoad: false });

const rgb = (image: Sharp): Promise<Uint8Array> => image.toColourspace("srgb").removeAlpha().raw().toBuffer();

/** Every second pixel of every second row, beginning with the second: uint8 [rows, columns, 3] of uint8 [2 rows, 2 columns, 3]. */
function secondOfEachTwo(pixels: Uint8Array, rows: number, columns: number): Uint8Array {
  const chosen = new Uint8Array(rows * columns * 3);
  for (let row = 0, to = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, to += 3) {
      const from = ((2 * row + 1) * 2 * columns + 2 * column + 1) * 3;
      chosen[to] = pixels[from]!;
      chosen[to + 1] = pixels[from + 1]!;
      chosen[to + 2] = pixels[from + 2]!;
    }
  return chosen;
}

async function uprightSize(image: Sharp): Promise<Size> {
  const { format, autoOrient } = await image.metadata();
  if (!FORMATS.has(format))
    throw new PermanentError(
      "unsupported_media_type",
      `Images of the format ${format} are not decoded; send JPEG, PNG, WebP, GIF, TIFF or AVIF.`,
    );
  return autoOrient;
}

/** Width and height after scaling, before the cut: the short side becomes floor(size / cropPct), as in timm. */
function scaledSize(
  width: number,
  height: number,
  { size: [rows, columns], cropMode, cropPct }: PreprocessOptions,
) {
  if (cropMode === "squash") return { width: columns, height: rows };
  const scale = Math.max(Math.floor(columns / cropPct) / width, Math.floor(rows / cropPct) / height);
  return {
    width: Math.max(columns, Math.round(width * scale)),
    height: Math.max(rows, Math.round(height * scale)),
  };
}

/** The failure of an image whose decoding was given up. */
export const tookTooLong = (seconds: number): PermanentError =>
  new PermanentError(
    "timeout",
    `The image was not decoded within ${seconds} s; send one that is smaller or simpler.`,
  );

/** Turns what libvips says into a failure of this image. */
const refusal =
  (file: Uint8Array, maxPixels: number, timeoutS: number) =>
  (error: unknown): never => {
    if (error instanceof PermanentError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    const reason = said
      .split("\n", 1)
      .join()
      .replace(/[\s:.]+$/, "");
    if (/exceeds pixel limit/i.test(reason))
      throw new PermanentError(
        "image_too_large",
        `The image has more than ${maxPixels} pixels, the most that are decoded; send a smaller one.`,
        { cause: error },
      );
    if (/^timeout: /m.test(said)) throw tookTooLong(timeoutS);
    if (isSvg(file))
      throw new PermanentError(
        "unsupported_media_type",
        "SVG is not decoded; send JPEG, PNG, WebP, GIF, TIFF or AVIF.",
        { cause: error },
      );
    if (/unsupported image format/i.test(reason))
      throw new PermanentError("invalid_image", "The file is not an image of a known format.", {
        cause: error,
      });
    throw new PermanentError(
      "invalid_image",
      `The image cannot be decoded: ${reason.replace(/^Input (file|buffer) /, "the file ")}.`,
      { cause: error },
    );
  };

/** Whether a file is SVG: text that begins with its tag, after a prologue and comments perhaps. */
const isSvg = (file: Uint8Array) =>
  /^\s*(?!<!doctype html)(?:<[?!][^]*)?<svg[\s>]/i.test(new TextDecoder().decode(file.subarray(0, 1_000)));
