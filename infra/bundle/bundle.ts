import { join } from "node:path";
import { build } from "esbuild";
import type { Metafile } from "esbuild";

const PROJECT = join(import.meta.dirname, "../..");

/** The entries of the API that run as one file somewhere else. */
export const BUNDLES = {
  lambda: { entry: "api/lambda.ts", file: "index.mjs" },
  cloudflare: { entry: "api/cloudflare.ts", file: "worker.mjs" },
} as const;

/** CommonJS packages call `require` for Node's own modules, which an ES module does not have; workerd's does not know `node:process`. */
const REQUIRE = `import __process from "node:process";
import { createRequire as __createRequire } from "node:module";
const __require = __createRequire("file:///");
const require = (name) => (name === "node:process" ? __process : __require(name));`;

/** Where a bundle is to run. */
export type BundleName = keyof typeof BUNDLES;

/** A bundle that was written. */
export interface Bundle {
  file: string;
  /** What is in it, and how large each part is. */
  metafile: Metafile;
}

/**
 * Writes an entry and all it imports to `directory` as one ES module. Both are built for Node, without the conditions `workerd`
 * and `browser`: the AWS SDK's build for browsers needs a DOM, and workerd with `nodejs_compat` runs the one for Node.
 */
export async function bundle(name: BundleName, directory: string): Promise<Bundle> {
  const file = join(directory, BUNDLES[name].file);
  const { metafile } = await build({
    absWorkingDir: PROJECT,
    entryPoints: [BUNDLES[name].entry],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2024",
    mainFields: ["module", "main"],
    // debug, which ioredis brings, takes supports-color along when something else has installed it.
    external: ["node:*", "supports-color"],
    conditions: [],
    minify: true,
    keepNames: true,
    metafile: true,
    legalComments: "none",
    logLevel: "error",
    banner: { js: REQUIRE },
  });
  return { file, metafile };
}
