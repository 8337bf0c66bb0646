import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { BUNDLES, bundle } from "../../infra/bundle/bundle.ts";
import type { BundleName } from "../../infra/bundle/bundle.ts";
import { readWrangler } from "./support/cloudflare-runtime.ts";

const directory = mkdtempSync(join(tmpdir(), "tresline-bundle-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What may be in a bundle at most: Cloudflare takes 3 MB packed, and what is larger starts later everywhere. */
const MAX_BYTES = 3_500_000;
const MAX_PACKED_BYTES = 900_000;

const names = Object.keys(BUNDLES) as BundleName[];

test.each(names)("the bundle for %s has the API and nothing of a worker, and is small", async (name) => {
  const { file, metafile } = await bundle(name, directory);
  const inputs = Object.keys(metafile.inputs);
  expect(inputs).toContain("api/app.ts");
  const foreign =
    /^(worker|test|infra)\/|node_modules\/(prom-client|sharp|@img|onnxruntime-[^/]*|undici|@hono\/node-server|miniflare)\//;
  expect(inputs.filter((input) => foreign.test(input))).toEqual([]);
  const bytes = statSync(file).size;
  const packed = gzipSync(readFileSync(file)).length;
  process.stdout.write(`The bundle for ${name} has ${bytes} bytes, ${packed} packed.\n`);
  expect(bytes).toBeLessThan(MAX_BYTES);
  expect(packed).toBeLessThan(MAX_PACKED_BYTES);
});

test.each(names)("the bundle for %s imports nothing but Node's own modules", async (name) => {
  const { metafile } = await bundle(name, directory);
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const others = imports.map(({ path }) => path).filter((path) => !process.getBuiltinModule(path));
  // Taken along where it is installed and done without elsewhere.
  expect([...new Set(others)]).toEqual(["supports-color"]);
});

test.each(["api/node.ts", "api/lambda.ts", "api/cloudflare.ts"])(
  "the entry %s is under 40 lines",
  (entry) => {
    const lines = readFileSync(entry, "utf8").trimEnd().split("\n");
    expect(lines.length).toBeLessThan(40);
  },
);

test("Cloudflare is told to take the bundle as it is", () => {
  const { main } = readWrangler();
  expect(join("infra/cloudflare", main)).toBe(join("dist/cloudflare", BUNDLES.cloudflare.file));
});
