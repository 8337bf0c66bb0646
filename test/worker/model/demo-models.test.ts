import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEMO_MODELS, ensureDemoModel } from "../../../worker/model/demo.ts";
import { BUILDER_VERSION } from "../../../worker/model/manifest.ts";
import { openModelDir } from "../../../worker/model/model-dir.ts";
import { fixture, readTensors } from "./read-tensors.ts";
import { maxDifference, openSession, run } from "./run-graph.ts";

const models = mkdtempSync(join(tmpdir(), "tresline-models-"));
afterAll(() => rmSync(models, { recursive: true }));

interface Expected {
  labels: string[];
  images: { file: string; class: string; logits: number[] }[];
}
const figures = readTensors(fixture("figures/samples_inputs.safetensors")).get("inputs");
const crops = readTensors(fixture("cifar10/crops.safetensors"));
let session: InferenceSession;
beforeAll(async () => {
  session = await openSession(openModelDir(ensureDemoModel("figures", models)).onnxPath);
});

/** Sample `index` of figures, uint8 [1,96,96,3]. */
function figure(index: number) {
  const size = 96 * 96 * 3;
  return {
    data: Uint8Array.from(figures.data.subarray(index * size, (index + 1) * size)),
    shape: [1, 96, 96, 3],
  };
}

test("figures gives the expected logits for all 132 samples, from bytes", async () => {
  const { images, labels }: Expected = JSON.parse(
    readFileSync(fixture("figures/samples_expected.json"), "utf8"),
  );
  const tooFar: string[] = [];
  let right = 0;
  for (const [i, sample] of images.entries()) {
    const results = await run(session, figure(i));
    const logits = results("logits");
    if (maxDifference(logits, sample.logits) > 1e-3) tooFar.push(sample.file);
    if (labels[logits.indexOf(Math.max(...logits))] === sample.class) right++;
  }
  expect(tooFar).toEqual([]);
  expect([images.length, right]).toEqual([132, 122]);
});

test("cifar10 gives the logits of an independent float64 implementation, from bytes", async () => {
  const cifar10 = await openSession(openModelDir(ensureDemoModel("cifar10", models)).onnxPath);
  const results = await run(cifar10, crops.get("inputs"));
  expect(maxDifference(results("logits"), crops.get("logits").data)).toBeLessThan(2e-5);
});

test("scores are the softmax of the logits", async () => {
  const results = await run(session, figure(7), ["logits", "scores"]);
  const powers = Array.from(results("logits"), Math.exp);
  const sum = powers.reduce((a, b) => a + b);
  const softmax = powers.map((power) => power / sum);
  expect(maxDifference(results("scores"), softmax)).toBeLessThan(1e-6);
});

test("an image's logits do not depend on its neighbours in the batch", async () => {
  const alone = (await run(session, figure(3)))("logits");
  for (const [before, after] of [
    [10, 20],
    [100, 50],
  ] as const) {
    const data = Buffer.concat([figure(before).data, figure(3).data, figure(after).data]);
    const batch = (await run(session, { data, shape: [3, 96, 96, 3] }))("logits");
    expect(maxDifference(batch.subarray(12, 24), alone)).toBeLessThan(1e-5);
  }
});

test("a demo model is built once, and again when it was damaged or is of another source", () => {
  const dir = mkdtempSync(join(models, "once-"));
  const path = ensureDemoModel("figures", dir);
  const built = statSync(path).ino;
  expect(ensureDemoModel("figures", dir)).toBe(path);
  expect(statSync(path).ino).toBe(built);

  writeFileSync(join(path, "labels.json"), "[]");
  ensureDemoModel("figures", dir);
  expect(openModelDir(path).labels).toHaveLength(12);

  const rebuilt = statSync(path).ino;
  const manifest = readFileSync(join(path, "model.json"), "utf8");
  writeFileSync(join(path, "model.json"), manifest.replace('"format": 1', '"format": 0'));
  ensureDemoModel("figures", dir);
  expect(statSync(path).ino).not.toBe(rebuilt);
});

test("the demo models have the same digests on every machine", () => {
  // When these change because the builder does, BUILDER_VERSION must be raised.
  const digests = DEMO_MODELS.map((name) => openModelDir(ensureDemoModel(name, models)).manifest.digest);
  expect(digests).toEqual([
    "sha256:c4cc1444653d660d929f8179909fb9c9f48e7de13bcdb1f6aec8de637790b268",
    "sha256:5afd2d2973a72357dec972965d3313b56924937a752fd79ec9e45bcc237a6406",
  ]);
  expect(BUILDER_VERSION).toBe(2);
});

test("two processes that need the same demo model at once both get it, and the same bytes", async () => {
  const dir = mkdtempSync(join(models, "race-"));
  const script = `import { DEMO_MODELS, ensureDemoModel } from "./worker/model/demo.ts"; ensureDemoModel("cifar10", ${JSON.stringify(dir)});`;
  const codes = await Promise.all(
    [1, 2, 3].map(
      async () => (await once(spawn(process.execPath, ["--input-type=module", "-e", script]), "exit"))[0],
    ),
  );
  expect(codes).toEqual([0, 0, 0]);
  expect(readdirSync(dir)).toEqual(["cifar10"]);
  expect(openModelDir(join(dir, "cifar10")).manifest.digest).toBe(
    openModelDir(join(models, "cifar10")).manifest.digest,
  );
});
