import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BenchResult } from "../../../api/cli/bench.ts";
import { API_KEY, startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";

const folder = mkdtempSync(join(tmpdir(), "tresline-cli-"));
let api: TestApi;
let url: string;
let server: ReturnType<typeof serve>;
beforeAll(async () => {
  api = await startTestApi();
  await api.startWorker();
  server = serve({ fetch: api.app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command line as a process, with the API key in its environment. */
function tresline(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, TRESLINE_API_KEY: API_KEY };
  return new Promise((resolve) => {
    execFile(process.execPath, ["api/cli/tresline.ts", ...args], { env }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}
const lines = (text: string) => text.trimEnd().split("\n");

test("a load by the second is labelled, timed and summed up", async () => {
  const { code, out } = await tresline("bench", url, "--rate", "20", "--seconds", "2", "--json");
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
  const { code, out, err } = await tresline("bench", url, "--batch", "100");
  expect(code).toBe(0);
  expect(err).toContain("100 images");
  expect(out).toContain("one batch of 100 images");
  expect(out).toMatch(/^Labelled +100 of 100 images, [\d.]+ images\/s$/m);
  expect(out).toMatch(/^Micro-batches +\d+ of +\d+ +█+$/m);
  expect(out).toMatch(/^Failures +none$/m);
  expect(lines(out).filter((line) => line.length > 80)).toEqual([]);
});

test("images that fail in a batch are counted by their codes, and the exit code tells", async () => {
  const [good, bad] = [join(folder, "good.png"), join(folder, "bad.png")];
  const { samplePng } = await import("../../../api/cli/sample-png.ts");
  writeFileSync(good, samplePng());
  writeFileSync(bad, "no image");
  const { code, out } = await tresline("bench", url, "--batch", "4", "--image", good, "--image", bad);
  expect(code).toBe(1);
  expect(out).toMatch(/^Labelled +2 of 4 images/m);
  expect(out).toMatch(/^Failures +2 invalid_image$/m);
});

test.each([
  [["--key", "not-the-right-key-0000"], /key/i],
  [["--image", "FOLDER/only-bad.png"], /The first image cannot be labelled: The file is not an image/],
])("what keeps even the first image from being labelled is one line: %j", async (args, said) => {
  writeFileSync(join(folder, "only-bad.png"), "no image");
  const { code, out, err } = await tresline(
    "bench",
    url,
    ...args.map((arg) => arg.replace("FOLDER", folder)),
  );
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(lines(err).at(-1)).toMatch(said);
  expect(err).not.toMatch(/^\s+at /m);
});

test("a service that is away is one line", async () => {
  const { code, err } = await tresline("bench", "http://127.0.0.1:1");
  expect(code).toBe(1);
  expect(lines(err).at(-1)).toMatch(/^tresline: http:\/\/127\.0\.0\.1:1 cannot be reached: .*\.$/);
});

test.each([
  [["frobnicate"], "frobnicate is no command."],
  [["bench"], "bench needs the address"],
  [["bench", "localhost:8080"], "bench needs the address"],
  [["bench", "http://a", "http://b"], "bench takes one address"],
  [["bench", "http://a", "--rate", "0"], "--rate must be a whole number from 1 to"],
  [["bench", "http://a", "--rate", "10000", "--seconds", "11"], "more than 100000 images"],
  [["bench", "http://a", "--batch", "10001"], "--batch must be a whole number from 1 to 10000"],
  [["bench", "http://a", "--batch", "1", "--rate", "1"], "neither --rate nor --seconds"],
  [["bench", "http://a", "--image", "nowhere.png"], "nowhere.png cannot be read"],
  [["bench", "http://a", "--image", "Makefile"], "says no image format"],
  [["bench", "http://a", "--key", ""], "the API key is missing"],
  [["bench", "http://a", "--fast"], "--fast"],
])("%j is refused in a line that points to the help", async (args, said) => {
  const { code, out, err } = await tresline(...args);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain(said);
  expect(err).toMatch(/^tresline: .* See tresline --help\.\n$/);
});

test("the help fits a terminal of 80 columns", async () => {
  const { code, out } = await tresline("--help");
  expect(code).toBe(0);
  expect(lines(out).filter((line) => line.length > 80)).toEqual([]);
});
