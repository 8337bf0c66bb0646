import { buffer } from "node:stream/consumers";
import { crc32, createDeflate, deflateSync } from "node:zlib";
import sharp from "sharp";
import type { ErrorCode } from "../../shared/contracts/error.ts";

/** Pixels, uint8 [height, width, 3] in sRGB. */
export interface Picture {
  width: number;
  height: number;
  data: Uint8Array;
}

/** Top left, top right, bottom left, bottom right: no two alike in any channel, so that a turn or a swapped channel is seen; all can be printed, for CMYK. */
export const QUADRANTS = [
  [180, 70, 60],
  [80, 150, 90],
  [80, 100, 160],
  [220, 200, 110],
] as const;

/** A picture of four coloured quadrants. Width and height are even. */
export function quadrants(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data.set(QUADRANTS[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] ?? [], (y * width + x) * 3);
  return { width, height, data };
}

/** The pixels of an image file. */
export async function openPicture(file: Uint8Array): Promise<Picture> {
  const { data, info } = await sharp(file)
    .flatten()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

const open = ({ data, width, height }: Picture) => sharp(data, { raw: { width, height, channels: 3 } });

/** The same picture in every container and form in which it keeps its colours, by the name of the form. */
export async function sameInEveryForm(picture: Picture): Promise<Record<string, Uint8Array>> {
  const { width, height } = picture;
  const best = { quality: 100, chromaSubsampling: "4:4:4" };
  const blank = { create: { width, height, channels: 3 as const, background: "#123456" } };
  const second = await sharp(blank).png().toBuffer();
  const first = await open(picture).png().toBuffer();
  const forms: Record<string, Promise<Uint8Array>> = {
    PNG: open(picture).png().toBuffer(),
    "PNG of 16 bits": open(picture).toColourspace("rgb16").png().toBuffer(),
    "PNG with a palette": open(picture).png({ palette: true, colours: 256, dither: 0 }).toBuffer(),
    "PNG with an opaque alpha channel": open(picture).ensureAlpha().png().toBuffer(),
    "PNG with a Display P3 profile": open(picture).withIccProfile("p3").png().toBuffer(),
    JPEG: open(picture).jpeg(best).toBuffer(),
    "progressive JPEG": open(picture)
      .jpeg({ ...best, progressive: true })
      .toBuffer(),
    "CMYK JPEG": open(picture).withIccProfile("cmyk").toColourspace("cmyk").jpeg(best).toBuffer(),
    WebP: open(picture).webp({ quality: 95 }).toBuffer(),
    "lossless WebP": open(picture).webp({ lossless: true }).toBuffer(),
    AVIF: open(picture)
      .avif({ ...best, effort: 0 })
      .toBuffer(),
    TIFF: open(picture).tiff({ compression: "lzw" }).toBuffer(),
    GIF: open(picture).gif({ dither: 0 }).toBuffer(),
    "animated GIF": sharp([first, second], { join: { animated: true } })
      .gif({ delay: [50, 50], dither: 0 })
      .toBuffer(),
    "animated WebP": sharp([first, second], { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer(),
  };
  const made = await Promise.all(
    Object.entries(forms).map(async ([name, file]) => [name, await file] as const),
  );
  return Object.fromEntries(made);
}

/**
 * For each EXIF orientation the places in the upright picture of a stored pixel: its row and column give x and y.
 * Written from the EXIF 2.32 table ("the 0th row is at the visual …, the 0th column at the visual …").
 */
const STORED: Record<number, (row: number, column: number, w: number, h: number) => [number, number]> = {
  1: (row, column) => [column, row],
  2: (row, column, w) => [w - 1 - column, row],
  3: (row, column, w, h) => [w - 1 - column, h - 1 - row],
  4: (row, column, _w, h) => [column, h - 1 - row],
  5: (row, column) => [row, column],
  6: (row, column, w) => [w - 1 - row, column],
  7: (row, column, w, h) => [w - 1 - row, h - 1 - column],
  8: (row, column, _w, h) => [row, h - 1 - column],
};

/** The picture stored in each of the eight EXIF orientations, 1 to 8, as JPEG; shown upright all are alike. */
export async function inEveryOrientation(picture: Picture): Promise<[orientation: number, Uint8Array][]> {
  return Promise.all(
    Object.entries(STORED).map(async ([orientation, place]): Promise<[number, Uint8Array]> => {
      const isTurned = Number(orientation) >= 5;
      const [width, height] = isTurned ? [picture.height, picture.width] : [picture.width, picture.height];
      const data = new Uint8Array(picture.data.length);
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++) {
          const [x, y] = place(row, column, picture.width, picture.height);
          const from = (y * picture.width + x) * 3;
          data.set(picture.data.subarray(from, from + 3), (row * width + column) * 3);
        }
      const jpeg = open({ width, height, data }).withMetadata({ orientation: Number(orientation) });
      return [Number(orientation), await jpeg.jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer()];
    }),
  );
}

/** A picture without colour in every form that has no colour: grey of 8 and 16 bits, with alpha, JPEG, and of 1 bit. */
export async function greyInEveryForm(picture: Picture): Promise<Record<string, Uint8Array>> {
  const grey = await open(picture).toColourspace("b-w").png().toBuffer();
  return {
    "grey PNG": grey,
    "grey PNG of 16 bits": await sharp(grey).toColourspace("grey16").png().toBuffer(),
    "grey PNG with an alpha channel": await sharp(grey).ensureAlpha().toColourspace("b-w").png().toBuffer(),
    "grey JPEG": await sharp(grey).toColourspace("b-w").jpeg({ quality: 100 }).toBuffer(),
  };
}

/** The picture in PNG with `alpha`, 0 to 1, throughout. */
export const translucent = (picture: Picture, alpha: number): Promise<Uint8Array> =>
  open(picture).ensureAlpha(alpha).png().toBuffer();

/**
 * A grey PNG of 1 bit a pixel, written by hand a row at a time, so that a huge one takes little memory.
 * @param whiteFrom the first column that is white; a multiple of 8
 */
export async function oneBitPng(width: number, height: number, whiteFrom: number): Promise<Uint8Array> {
  const row = Buffer.alloc(1 + Math.ceil(width / 8), 0xff);
  row.fill(0, 0, 1 + whiteFrom / 8);
  const rowsAtOnce = Buffer.concat(Array<Buffer>(Math.min(height, 100)).fill(row));
  const deflate = createDeflate({ level: 1 });
  const compressed = buffer(deflate);
  for (let left = height; left > 0; left -= 100) deflate.write(rowsAtOnce.subarray(0, left * row.length));
  deflate.end();
  const pixels = pngChunk("IDAT", await compressed);
  return Buffer.concat([pngHeader(width, height, 1, 0), pixels, pngChunk("IEND", Buffer.alloc(0))]);
}

/** The first bytes of a PNG that is not interlaced. */
export function pngHeader(width: number, height: number, bitDepth: number, colourType: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitDepth, colourType], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), pngChunk("IHDR", header)]);
}

/** A chunk of a PNG, with its length and its sum. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  chunk.set(body, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

/** A file that can never be labelled, and what must be said of it. */
export interface BadImage {
  bytes: Uint8Array;
  code: ErrorCode;
  /** What the sentence for the client says. */
  says: RegExp;
}

/** A GIF of two colours that says how large it is and ends after its first pixels. */
const gifOf = (width: number, height: number) => {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(width, 0);
  size.writeUInt16LE(height, 2);
  const colours = [0x80, 0, 0, 0, 0, 0, 255, 255, 255];
  const pixels = [2, 2, 0x4c, 1, 0];
  const frame = [0x2c, 0, 0, 0, 0, ...size, 0, ...pixels];
  return Buffer.from([...Buffer.from("GIF89a"), ...size, ...colours, ...frame, 0x3b]);
};

/** A PNG that says how large it is and has a byte of pixels. */
const pngOf = (width: number, height: number) =>
  Buffer.concat([
    pngHeader(width, height, 8, 2),
    pngChunk("IDAT", deflateSync("\0")),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);

const half = (file: Uint8Array) => file.subarray(0, file.length / 2);
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 2_654_435_761) >>> 13);

/** Files that are no image, are damaged, are not decoded by us, or are too large, by what they are. */
export async function badImages(): Promise<Record<string, BadImage>> {
  const picture = open(quadrants(400, 300));
  const isBroken = { code: "invalid_image", says: /^The image cannot be decoded: .+\.$/ } as const;
  const isNone = { code: "invalid_image", says: /^The file is not an image of a known format\.$/ } as const;
  const isHuge = { code: "image_too_large", says: /more than 100000000 pixels/ } as const;
  const isOther = { code: "unsupported_media_type", says: /^SVG is not decoded; send JPEG/ } as const;
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  const svgWithPrologue = `<?xml version="1.0"?>\n<!-- drawn by hand -->\n${svg.replaceAll(/ (width|height)="9"/g, "")}`;
  return {
    "an empty file": { bytes: new Uint8Array(), code: "invalid_image", says: /empty: it has 0 bytes/ },
    text: { bytes: Buffer.from("this is not an image"), ...isNone },
    HTML: { bytes: Buffer.from("<!doctype html><title>404</title><p>Not found</p><svg />"), ...isNone },
    "random bytes": { bytes: noise(5_000), ...isNone },
    SVG: { bytes: Buffer.from(svg), ...isOther },
    "SVG without a size, after a prologue": { bytes: Buffer.from(svgWithPrologue), ...isOther },
    "a JPEG cut in half": { bytes: half(await picture.jpeg().toBuffer()), ...isBroken },
    "a PNG cut in half": { bytes: half(await picture.png({ compressionLevel: 0 }).toBuffer()), ...isBroken },
    "the beginning of a JPEG": { bytes: Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), ...isBroken },
    "a tiny PNG that claims 30000 x 30000": { bytes: pngOf(30_000, 30_000), ...isHuge },
    "a tiny GIF that claims 30000 x 30000": { bytes: gifOf(30_000, 30_000), ...isHuge },
    "a whole PNG of 30000 x 30000": { bytes: await oneBitPng(30_000, 30_000, 0), ...isHuge },
  };
}
