import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createLogger } from "../../shared/logger.ts";
import { startEngine } from "../../worker/engine/engine.ts";
import type { Engine, EngineOptions } from "../../worker/engine/engine.ts";
import type { PreprocessOptions } from "../../worker/image/preprocess.ts";
import { demoSource, ensureDemoModel } from "../../worker/model/demo.ts";
import { openModelDir } from "../../worker/model/model-dir.ts";
import type { ModelDir } from "../../worker/model/model-dir.ts";

/** The demo model `figures`, built in a temporary directory that goes with the test file. */
export function figuresModel(): ModelDir {
  const directory = mkdtempSync(join(tmpdir(), "tresline-models-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return openModelDir(ensureDemoModel("figures", directory));
}

/** A real engine on it; it ends with the test file. A crash of its thread fails the test unless `onCrash` is given. */
export async function figuresEngine(
  { onnxPath }: ModelDir,
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  const engine = await startEngine({
    onnxPath,
    device: "cpu",
    instances: 1,
    maxBatchSize: 8,
    logger: createLogger("test", "silent"),
    size: [96, 96],
    topK: 12,
    onLost: () => {},
    onCrash: (error) => {
      throw error;
    },
    ...options,
  });
  afterAll(() => engine.close());
  return engine;
}

/** How it wants its images. */
export const figuresPreprocessing = ({ manifest: { preprocess } }: ModelDir): PreprocessOptions => ({
  size: [96, 96],
  cropMode: preprocess.crop_mode,
  cropPct: preprocess.crop_pct,
  interpolation: preprocess.interpolation,
  maxPixels: 100_000_000,
});

const samples = join(demoSource("figures"), "samples");

/** The names of its sample files: `bar_chart_00.webp` … */
export const sampleNames = (): string[] => readdirSync(samples).toSorted();

/** The bytes of a sample file. */
export const sample = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(samples, name)));
