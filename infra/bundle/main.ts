import { statSync } from "node:fs";
import { relative } from "node:path";
import { BUNDLES, bundle } from "./bundle.ts";
import type { BundleName } from "./bundle.ts";

/** Writes `dist/lambda/index.mjs` and `dist/cloudflare/worker.mjs`, or only the one that is named. */
async function main(named: string | undefined): Promise<void> {
  const names = (Object.keys(BUNDLES) as BundleName[]).filter(
    (name) => named === undefined || name === named,
  );
  if (names.length === 0)
    throw new Error(
      `There is no bundle "${named}": name ${Object.keys(BUNDLES).join(" or ")}, or none for both.`,
    );
  for (const name of names) {
    const { file } = await bundle(name, `dist/${name}`);
    process.stdout.write(`${relative(process.cwd(), file)}  ${Math.round(statSync(file).size / 1000)} kB\n`);
  }
}

main(process.argv[2]).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
