import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildModel } from "../../../worker/model/build.ts";
import type { BuildOptions } from "../../../worker/model/build.ts";
import { readConfig } from "../../../worker/model/config.ts";
import { demoSource } from "../../../worker/model/demo.ts";
import { fixture, readTensors } from "./read-tensors.ts";
import { maxDifference, openSession, run } from "./run-graph.ts";

const models = mkdtempSync(join(tmpdir(), "tresline-precision-"));
afterAll(() => rmSync(models, { recursive: true }));

const images = readTensors(fixture("figures/samples_inputs.safetensors")).get("inputs");
const COUNT = 132;
const CLASSES = 12;

function builtFigures(options: BuildOptions): string {
  const out = join(models, JSON.stringify(options).replaceAll(/\W/g, ""));
  const source = demoSource("figures");
  buildModel(join(source, "checkpoint.safetensors"), readConfig(join(source, "config.json")), out, options);
  return join(out, "model.onnx");
}

async function scoresOf(onnxPath: string): Promise<Float32Array[]> {
  const results = await run(await openSession(onnxPath), images, ["scores"]);
  return Array.from({ length: COUNT }, (_, i) => results("scores").subarray(i * CLASSES, (i + 1) * CLASSES));
}

const best = (scores: Float32Array) => scores.indexOf(Math.max(...scores));

let fp32: Float32Array[];
beforeAll(async () => {
  fp32 = await scoresOf(builtFigures({ input: "uint8", precision: "fp32", topK: null }));
});

test("fp16 answers the same top-1 for all samples, within 5e-3 of fp32's probabilities, at half the size", async () => {
  const path = builtFigures({ input: "uint8", precision: "fp16", topK: null });
  const fp16 = await scoresOf(path);
  expect(fp16.map(best)).toEqual(fp32.map(best));
  expect(Math.max(...fp16.map((scores, i) => maxDifference(scores, fp32[i] ?? [])))).toBeLessThan(5e-3);
  expect(statSync(path).size).toBeLessThan(2_681_164 * 2 * 1.02);
});

test("fp16 takes float input too", async () => {
  const path = builtFigures({ input: "float", precision: "fp16", topK: null });
  const first = images.data.subarray(0, 96 * 96 * 3);
  const planar = Float32Array.from(
    { length: first.length },
    (_, i) => Number(first[(i % 9216) * 3 + Math.floor(i / 9216)]) / 255,
  );
  const results = await run(await openSession(path), { data: planar, shape: [1, 3, 96, 96] }, ["scores"]);
  expect(maxDifference(results("scores"), fp32[0] ?? [])).toBeLessThan(5e-3);
});

test.each(["fp32", "fp16"] as const)(
  "the graph gives the K highest scores and their classes in %s",
  async (precision) => {
    const session = await openSession(builtFigures({ input: "uint8", precision, topK: 3 }));
    const pixels = new Tensor("uint8", Uint8Array.from(images.data), images.shape);
    const outputs = await session.run({ image: pixels }, ["scores", "top"]);
    const [scores, top] = ["scores", "top"].map((name) => Array.from(outputs[name]?.data ?? [], Number));
    expect(outputs["top"]?.dims).toEqual([COUNT, 6]);
    for (let i = 0; i < COUNT; i++) {
      const row = scores?.slice(i * CLASSES, (i + 1) * CLASSES) ?? [];
      const topScores = top?.slice(i * 6, i * 6 + 3);
      expect(topScores).toEqual(row.toSorted((a, b) => b - a).slice(0, 3));
      expect(top?.slice(i * 6 + 3, i * 6 + 6).map((index) => row[index])).toEqual(topScores);
    }
  },
);
