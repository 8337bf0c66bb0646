import { constants, crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { pngChunk, pngHeader } from "../../support/images.ts";

/** Small files that want much: time, memory or both, by what they are. */
export async function imageBombs(): Promise<Record<string, Uint8Array>> {
  const png = await blank("png");
  const jpeg = await blank("jpeg");
  const progressive = await blank("jpeg", { progressive: true });
  const webp = await blank("webp", { lossless: true });
  const avif = await blank("avif");
  const tiff = await blank("tiff", { compression: "deflate" });
  const zeros = deflateSync(Buffer.alloc(7_900_000));
  const ended = Buffer.from([0xff, 0xd9]);
  const lastScan = progressive.subarray(progressive.lastIndexOf(Buffer.from([0xff, 0xda])), -2);
  return {
    "a PNG that claims the largest sides there are": patched(png, "IHDR", 0x7fff_ffff),
    "a PNG of one row that is as wide as can be": patched(png, "IHDR", 0x7fff_ffff, 0, 1),
    "a JPEG that claims 65278 x 65278": patchedJpeg(jpeg),
    "a WebP that claims 16384 x 16384": Buffer.concat([
      webp.subarray(0, 21),
      Buffer.from("ffffff0f", "hex"),
      webp.subarray(25),
    ]),
    "an AVIF that claims the largest sides there are": patched(avif, "ispe", 0xffff_ffff, 4),
    "an AVIF that claims 30000 x 30000": patched(avif, "ispe", 30_000, 4),
    "a TIFF that claims the largest sides there are": patchedTiff(tiff, [256, 257]),
    "a TIFF whose strips and counts claim to be huge": patchedTiff(tiff, [273, 278, 279]),
    "a TIFF whose directories follow each other for ever": loopedTiff(tiff),
    "a GIF that claims 65535 x 65535": gif(65_535, 65_535, 1),
    "a GIF of 200000 frames": gif(1, 1, 200_000),
    "a WebP of 25 million pixels in 38 bytes": await sharp(blankOf(5_000, 5_000))
      .webp({ lossless: true, effort: 0 })
      .toBuffer(),
    "an AVIF of 4 million pixels in a kilobyte": await sharp(blankOf(2_000, 2_000))
      .avif({ effort: 0 })
      .toBuffer(),
    "a PNG whose profile unpacks to 200 MB": withChunks(
      png,
      1,
      "iCCP",
      text("icc\0\0", deflateSync(Buffer.alloc(200_000_000))),
    ),
    "a PNG of 200 texts that unpack to 8 MB each": withChunks(png, 200, "zTXt", text("Comment\0\0", zeros)),
    "a PNG of 200 translated texts that unpack to 8 MB each": withChunks(
      png,
      200,
      "iTXt",
      text("Comment\0\u0001\0\0\0", zeros),
    ),
    "a PNG of 100000 texts": withChunks(png, 100_000, "tEXt", text("a\0b", Buffer.alloc(0))),
    "a PNG of 3000 empty pieces of pixels": withChunks(png, 3_000, "IDAT", Buffer.alloc(0)),
    "a progressive JPEG of 20000 scans": Buffer.concat([
      progressive.subarray(0, -2),
      ...Array<Buffer>(20_000).fill(lastScan),
      ended,
    ]),
    "a JPEG of 19 MB of EXIF": withSegments(jpeg, 300, 0xe1, () => "Exif\0\0II*\0\u0008\0\0\0"),
    "a JPEG of a profile of 16 MB": withSegments(
      jpeg,
      255,
      0xe2,
      (i) => `ICC_PROFILE\0${String.fromCharCode(i + 1)}\u00ff`,
    ),
    "a JPEG of 19 MB of comments": withSegments(jpeg, 300, 0xfe, () => "x"),
  };
}

const blankOf = (width: number, height: number) => ({
  create: { width, height, channels: 3 as const, background: "#8899aa" },
});

const blank = (format: "png" | "jpeg" | "webp" | "avif" | "tiff", options = {}): Promise<Buffer> =>
  sharp(blankOf(64, 48)).toFormat(format, options).toBuffer();

const text = (head: string, rest: Uint8Array) => Buffer.concat([Buffer.from(head, "latin1"), rest]);

/** Width and height, four bytes each, `skip` bytes after a name of four letters. */
function patched(file: Buffer, name: string, width: number, skip = 0, height = width): Buffer {
  const bytes = Buffer.from(file);
  const at = bytes.indexOf(name) + 4 + skip;
  bytes.writeUInt32BE(width, at);
  bytes.writeUInt32BE(height, at + 4);
  if (name === "IHDR") bytes.writeUInt32BE(crc32(bytes.subarray(at - 4, at + 13)), at + 13);
  return bytes;
}

/** Height and width in the frame header, two bytes each: almost as large as can be. */
function patchedJpeg(file: Buffer): Buffer {
  const bytes = Buffer.from(file);
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  return bytes.fill(0xfe, frame + 5, frame + 9);
}

/** TIFF's type of four bytes. */
const LONG = 4;

/** The values of some tags of the first directory as large as can be. */
function patchedTiff(file: Buffer, tags: number[]): Buffer {
  const bytes = Buffer.from(file);
  const directory = bytes.readUInt32LE(4);
  for (let entry = 0; entry < bytes.readUInt16LE(directory); entry++) {
    const at = directory + 2 + entry * 12;
    if (!tags.includes(bytes.readUInt16LE(at))) continue;
    bytes.writeUInt16LE(LONG, at + 2);
    bytes.writeUInt32LE(0xffff_ffff, at + 8);
  }
  return bytes;
}

/** The first directory says that it comes after itself. */
function loopedTiff(file: Buffer): Buffer {
  const bytes = Buffer.from(file);
  const directory = bytes.readUInt32LE(4);
  bytes.writeUInt32LE(directory, directory + 2 + bytes.readUInt16LE(directory) * 12);
  return bytes;
}

/** Bytes of a PNG before its first chunk, and of that chunk, IHDR. */
const PNG_HEAD = 8 + 25;

/** A chunk many times after the header of a PNG. */
function withChunks(file: Buffer, times: number, type: string, data: Buffer): Buffer {
  const chunks = Array<Buffer>(times).fill(pngChunk(type, data));
  return Buffer.concat([file.subarray(0, PNG_HEAD), ...chunks, file.subarray(PNG_HEAD)]);
}

/** Segments of 65 kB after the first marker of a JPEG; `head` is what each begins with. */
function withSegments(file: Buffer, times: number, marker: number, head: (index: number) => string): Buffer {
  const segments = Array.from({ length: times }, (_, index) => {
    const segment = Buffer.alloc(65_002);
    segment.set([0xff, marker]);
    segment.writeUInt16BE(65_000, 2);
    segment.write(head(index), 4, "latin1");
    return segment;
  });
  return Buffer.concat([file.subarray(0, 2), ...segments, file.subarray(2)]);
}

/** A GIF of two colours whose screen has these sides, and so many frames of one pixel. */
function gif(width: number, height: number, frames: number): Buffer {
  const screen = Buffer.from("47494638396100000000800000000000ffffff", "hex");
  screen.writeUInt16LE(width, 6);
  screen.writeUInt16LE(height, 8);
  const frame = Buffer.from("21f90400010000002c00000000010001000002024c0100", "hex");
  return Buffer.concat([screen, ...Array<Buffer>(frames).fill(frame), Buffer.from(";")]);
}

/** A square PNG of black pixels, a few bytes for each thousand of them; it goes a strip at a time through little memory. `side` is a multiple of 800. */
export function longPng(side: number): Uint8Array {
  const rows = Buffer.alloc(100 * (1 + side / 8));
  const packed = deflateSync(rows, { finishFlush: constants.Z_FULL_FLUSH });
  const again = Array<Buffer>(side / 100 - 1).fill(packed.subarray(2));
  return Buffer.concat([
    pngHeader(side, side, 1, 0),
    pngChunk("IDAT", Buffer.concat([packed, ...again])),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}
