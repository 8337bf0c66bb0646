// How far our pixels are from a reference's, and how far plain sharp's are: node test/bench/preprocessing/compare.ts IMAGES REFERENCE
// IMAGES is a folder of image files; REFERENCE/SETTING/FILE.rgb are the reference's bytes of them, [H, W, 3], in each of the settings below.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { configureSharp, preprocess } from "../../../worker/image/preprocess.ts";
import type { PreprocessOptions } from "../../../worker/image/preprocess.ts";

type Setting = Pick<PreprocessOptions, "size" | "cropMode" | "cropPct">;
const SETTINGS: Record<string, Setting> = {
  "center-96": { size: [96, 96], cropMode: "center", cropPct: 1 },
  "center-224": { size: [224, 224], cropMode: "center", cropPct: 0.875 },
  "squash-448": { size: [448, 448], cropMode: "squash", cropPct: 1 },
};

/** The same by sharp's `resize` alone, perhaps with the decoder of JPEG and WebP doing most of the scaling. */
const plain =
  (fastShrinkOnLoad: boolean) =>
  async (file: Buffer, { size: [rows, columns], cropMode, cropPct }: Setting): Promise<Uint8Array> => {
    const { width, height } = (await sharp(file).metadata()).autoOrient;
    const scale = Math.floor(rows / cropPct) / Math.min(width, height);
    const to =
      cropMode === "squash"
        ? { width: columns, height: rows }
        : { width: Math.round(width * scale), height: Math.round(height * scale) };
    return sharp(file)
      .autoOrient()
      .flatten({ background: "#fff" })
      .resize({ ...to, fit: "fill", kernel: "linear", fastShrinkOnLoad })
      .extract({
        left: Math.floor((to.width - columns) / 2),
        top: Math.floor((to.height - rows) / 2),
        width: columns,
        height: rows,
      })
      .removeAlpha()
      .raw()
      .toBuffer();
  };

const WAYS = {
  ours: (file: Buffer, setting: Setting) =>
    preprocess(file, { ...setting, interpolation: "bilinear", maxPixels: 100_000_000 }),
  "plain sharp": plain(false),
  "plain sharp, shrink on load": plain(true),
};

/** Mean and largest absolute difference of bytes. */
function difference(a: Uint8Array, b: Uint8Array): { mean: number; largest: number } {
  if (a.length !== b.length) throw new Error(`${a.length} bytes against the reference's ${b.length}`);
  const differences = a.map((value, i) => Math.abs(value - (b[i] ?? 0)));
  return {
    mean: differences.reduce((x, y) => x + y, 0) / a.length,
    largest: differences.reduce((x, y) => Math.max(x, y)),
  };
}

configureSharp();
const [images = "", reference = ""] = parseArgs({ allowPositionals: true }).positionals;
for (const [name, setting] of Object.entries(SETTINGS))
  for (const [way, run] of Object.entries(WAYS)) {
    const found: { file: string; mean: number; largest: number }[] = [];
    for (const file of readdirSync(images)) {
      const pixels = await run(readFileSync(join(images, file)), setting);
      found.push({ file, ...difference(pixels, readFileSync(join(reference, name, `${file}.rgb`))) });
    }
    const worst = found.toSorted((a, b) => b.mean - a.mean)[0];
    process.stdout.write(
      `${name}, ${way}: mean ${(found.reduce((sum, { mean }) => sum + mean, 0) / found.length).toFixed(2)}, ` +
        `worst image ${worst?.mean.toFixed(2)} (${worst?.file}), largest ${Math.max(...found.map(({ largest }) => largest))}\n`,
    );
  }
