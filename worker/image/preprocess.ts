import sharp from "sharp";
import type { Sharp } from "sharp";
import { PermanentError } from "../../shared/errors.ts";

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

/** Seconds after which a decoder is stopped. */
const DECODE_TIMEOUT_S = 30;

/**
 * Sets libvips up for many small images at once: one thread an image, nothing cached, and SVG not even opened, since it is
 * a program rather than a picture. To be called once, before the first image.
 */
export function configureSharp(): void {
  sharp.block({ operation: ["VipsForeignLoadSvg"] });
  sharp.cache(false);
  sharp.concurrency(1);
}

/**
 * Decodes an image and scales it as the model was evaluated: antialiased, upright by its EXIF orientation, in sRGB,
 * transparency over white, the first frame of an animation.
 * @returns uint8 [H, W, 3], 0 to 255
 * @throws PermanentError invalid_image, unsupported_media_type or image_too_large
 */
export async function preprocess(file: Uint8Array, options: PreprocessOptions): Promise<Uint8Array> {
  if (file.byteLength === 0) throw new PermanentError("invalid_image", "The image is empty: it has 0 bytes.");
  const image = sharp(file, { limitInputPixels: options.maxPixels, failOn: "error" });
  const refuse = refusal(file, options.maxPixels);
  const { width, height } = await uprightSize(image).catch(refuse);
  const scaled = scaledSize(width, height, options);
  const [rows, columns] = options.size;
  const pixels = await image
    .autoOrient()
    .flatten({ background: "#fff" })
    // Letting the JPEG or WebP decoder do most of the scaling is a fifth faster and moves pixels by up to 40 %.
    .resize({ ...scaled, fit: "fill", kernel: KERNELS[options.interpolation], fastShrinkOnLoad: false })
    .extract({
      left: Math.floor((scaled.width - columns) / 2),
      top: Math.floor((scaled.height - rows) / 2),
      width: columns,
      height: rows,
    })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .timeout({ seconds: DECODE_TIMEOUT_S })
    .toBuffer()
    .catch(refuse);
  if (pixels.byteLength !== rows * columns * 3)
    throw new Error(
      `An image was decoded to ${pixels.byteLength} bytes instead of ${rows * columns * 3}. This is a bug.`,
    );
  return pixels;
}

async function uprightSize(image: Sharp): Promise<{ width: number; height: number }> {
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

/** Turns what libvips says into a failure of this image. */
const refusal =
  (file: Uint8Array, maxPixels: number) =>
  (error: unknown): never => {
    if (error instanceof PermanentError) throw error;
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    if (/exceeds pixel limit/i.test(reason))
      throw new PermanentError(
        "image_too_large",
        `The image has more than ${maxPixels} pixels, the most that are decoded; send a smaller one.`,
        { cause: error },
      );
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
