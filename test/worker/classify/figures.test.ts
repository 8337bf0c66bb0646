import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createBatcher } from "../../../worker/classify/batcher.ts";
import { rank } from "../../../worker/classify/rank.ts";
import { configureSharp, preprocess } from "../../../worker/image/preprocess.ts";
import { figuresEngine, figuresModel, figuresPreprocessing, sample } from "../../support/figures.ts";
import { fixture, readTensors } from "../model/read-tensors.ts";

interface Expected {
  images: { file: string; class: string; predicted: string }[];
}
const { images }: Expected = JSON.parse(readFileSync(fixture("figures/samples_expected.json"), "utf8"));
const inputs = readTensors(fixture("figures/samples_inputs.safetensors")).get("inputs").data;
const IMAGE_BYTES = 96 * 96 * 3;
const model = figuresModel();

/** The mean absolute difference of bytes. */
const meanDifference = (a: Uint8Array, b: ArrayLike<number>) =>
  a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? NaN)), 0) / a.length;

test("from the file to the label, all 132 samples go as they did where the model was trained", async () => {
  configureSharp();
  const batcher = createBatcher(await figuresEngine(model, { maxBatchSize: 32 }), { maxWaitMs: 0 });
  const differences: number[] = [];
  const labels = await Promise.all(
    images.map(async ({ file }, i) => {
      const pixels = await preprocess(sample(file), figuresPreprocessing(model));
      differences.push(meanDifference(pixels, inputs.subarray(i * IMAGE_BYTES, (i + 1) * IMAGE_BYTES)));
      const { answer } = await batcher.classify({ lane: "bulk", tenant: "default" }, async () => pixels);
      return rank(answer, model.labels, 1, 0)[0]?.label;
    }),
  );
  const asExpected = images.filter(({ predicted }, i) => labels[i] === predicted);
  const right = images.filter((image, i) => labels[i] === image.class);
  expect(images).toHaveLength(132);
  expect(asExpected.length).toBeGreaterThanOrEqual(131);
  expect(Math.abs(right.length - 122) / 132).toBeLessThan(0.01);
  // Measured: 0.61 of 255 on average, 5.6 for the worst sample, a JPEG that is scaled down more than eightfold.
  expect(differences.reduce((a, b) => a + b) / 132).toBeLessThan(1);
  expect(Math.max(...differences)).toBeLessThan(8);
});
