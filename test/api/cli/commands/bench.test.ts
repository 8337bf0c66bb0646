import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BenchResult } from "../../../../api/cli/bench.ts";
import { samplePng } from "../../../../api/cli/sample-png.ts";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { linesOf, runTresline } from "../run-tresline.ts";

const folder = mkdtempSync(join(tmpdir(), "tresline-cli-"));
let api: ServedApi;
beforeAll(async () => {
  api = await serveApi();
  await api.startWorker();
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

const bench = (...args: string[]) =>
  runTresline(["bench", api.url, ...args], { TRESLINE_API_KEY: api.apiKey });

test("a load by the second is labelled, timed and summed up", async () => {
  const { code, out } = await bench("--rate", "20", "--seconds", "2", "--json");
  const result = JSON.parse(out) as BenchResult;
  expect(code).toBe(0);
  expect(result).toMatchObject({ model: "figures", device: "cpu", failures: {} });
  expect(result.images).toBeGreaterThan(10);
  expect(result.labelled).toBe(result.images);
  expect(result.imagesPerSecond).toBeGreaterThan(1);
  expect(result.latency?.p50).toBeGreaterThan(0);
  expect(result.latency?.max).toBeGreaterThanOrEqual(result.latency?.p50 ?? Infinity);
  expect(Object.keys(result.stages)).toEqual([
    "queue_ms",
    "fetch_ms",
    "decode_ms",
    "batch_wait_ms",
    "inference_ms",
  ]);
});

test("a load as one batch is labelled and summed up for a person at 80 columns", async () => {
  const { code, out, err } = await bench("--batch", "100");
  expect(code).toBe(0);
  expect(err).toContain("100 images");
  expect(out).toContain("one batch of 100 images");
  expect(out).toMatch(/^Labelled +100 of 100 images, [\d.]+ images\/s$/m);
  expect(out).toMatch(/^Micro-batches +\d+ of +\d+ +█+$/m);
  expect(out).toMatch(/^Failures +none$/m);
  expect(linesOf(out).filter((line) => line.length > 80 || line === "")).toEqual([]);
});

test("images that fail in a batch are counted by their codes, and the exit code tells", async () => {
  const [good, bad] = [join(folder, "good.png"), join(folder, "bad.png")];
  writeFileSync(good, samplePng());
  writeFileSync(bad, "no image");
  const { code, out } = await bench("--batch", "4", "--image", good, "--image", bad);
  expect(code).toBe(1);
  expect(out).toMatch(/^Labelled +2 of 4 images/m);
  expect(out).toMatch(/^Failures +2 invalid_image$/m);
});

test.each([
  [["--key", "not-the-right-key-0000"], /key/i],
  [["--image", "FOLDER/only-bad.png"], /The first image cannot be labelled: The file is not an image/],
])("what keeps even the first image from being labelled is one line: %j", async (args, said) => {
  writeFileSync(join(folder, "only-bad.png"), "no image");
  const { code, out, err } = await bench(...args.map((arg) => arg.replace("FOLDER", folder)));
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(linesOf(err).at(-1)).toMatch(said);
  expect(err).not.toMatch(/^\s+at /m);
});
