import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { DEFAULT_BUILD, buildModel, sourceOf } from "./build.ts";
import { readConfig } from "./config.ts";
import type { ManifestContent } from "./manifest.ts";
import { openModelDir } from "./model-dir.ts";
import { ModelError } from "./model-error.ts";

/** The models that come with Tresline. */
export const DEMO_MODELS = ["figures", "cifar10"] as const;
/** The name of a model that comes with Tresline. */
export type DemoModel = (typeof DEMO_MODELS)[number];

/** Where a demo model's checkpoint, config, card and samples lie. */
export const demoSource = (name: DemoModel): string => join(import.meta.dirname, "demo", name);

/**
 * The path of a demo model's directory, `modelsDir/name`; built when it is not there, damaged, or of another checkpoint, config or
 * builder. Several processes may call it at once.
 */
export function ensureDemoModel(name: DemoModel, modelsDir: string): string {
  const checkpoint = join(demoSource(name), "checkpoint.safetensors");
  const config = readConfig(join(demoSource(name), "config.json"));
  const out = join(modelsDir, name);
  if (!isBuiltFrom(out, sourceOf(checkpoint, config))) buildModel(checkpoint, config, out, DEFAULT_BUILD);
  return out;
}

function isBuiltFrom(dir: string, source: ManifestContent["source"]): boolean {
  if (!existsSync(dir)) return false;
  try {
    return isDeepStrictEqual(openModelDir(dir).manifest.source, source);
  } catch (error) {
    if (error instanceof ModelError) return false;
    throw error;
  }
}
