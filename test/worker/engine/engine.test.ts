import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { ConfigError } from "../../../shared/config.ts";
import { TransientError } from "../../../shared/errors.ts";
import { figuresEngine, figuresModel } from "../../support/figures.ts";
import { fixture, readTensors } from "../model/read-tensors.ts";

const model = figuresModel();
const inputs = readTensors(fixture("figures/samples_inputs.safetensors")).get("inputs").data;
const CUDA_LIBRARY = "bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so";
const IMAGE_BYTES = 96 * 96 * 3;
const image = (index: number) =>
  Uint8Array.from(inputs.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES));
const images = (count: number, from = 0) => Array.from({ length: count }, (_, i) => image(from + i));

/** An engine together with its thread, to do to it what no caller can. */
async function engineAndThread(onCrash: (error: Error) => void) {
  const started = once(process, "worker") as Promise<[Worker]>;
  const engine = await figuresEngine(model, { maxBatchSize: 1, onCrash });
  return { engine, thread: (await started)[0] };
}

test("every image gets a row of scores of its own, whatever the micro-batch is padded to", async () => {
  const engine = await figuresEngine(model, { maxBatchSize: 8 });
  const alone: Float32Array[] = [];
  for (const each of images(8, 40)) alone.push(...(await engine.run([each])).scores);
  for (const count of [1, 2, 3, 5, 8]) {
    const { scores, inferenceMs } = await engine.run(images(count, 40));
    expect(inferenceMs).toBeGreaterThan(0);
    expect(scores).toHaveLength(count);
    for (const [row, values] of scores.entries()) {
      expect(values.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
      for (const [index, value] of values.entries()) expect(value).toBeCloseTo(alone[row]?.[index] ?? NaN, 5);
    }
  }
});

test("what was left in memory by a larger micro-batch changes nothing", async () => {
  const engine = await figuresEngine(model, { maxBatchSize: 4 });
  const before = await engine.run(images(3));
  await engine.run(images(4, 100));
  expect((await engine.run(images(3))).scores).toEqual(before.scores);
  expect(before.scores[0]).not.toEqual(before.scores[1]);
});

test("a second micro-batch before the first is done is a bug that is told", async () => {
  const engine = await figuresEngine(model, { maxBatchSize: 2 });
  const first = engine.run(images(1));
  await expect(engine.run(images(1))).rejects.toThrow("This is a bug");
  expect((await first).scores).toHaveLength(1);
});

test("a model that is not there is refused at the start, with its path", async () => {
  const onnxPath = "/nowhere/model.onnx";
  await expect(figuresEngine(model, { onnxPath })).rejects.toThrow(onnxPath);
});

const hasCuda = existsSync(
  join(dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")), CUDA_LIBRARY),
);
test.skipIf(hasCuda)(
  "without CUDA's libraries, cuda is refused at the start and the CPU is not used instead",
  async () => {
    const start = figuresEngine(model, { device: "cuda" });
    await expect(start).rejects.toThrow(ConfigError);
    await expect(start).rejects.toThrow(
      /cannot be run on device cuda: .+\. Set DEVICE to one that this machine has/,
    );
  },
);

test("when its thread ends by itself, the micro-batch in hand fails and onCrash is called once", async () => {
  const onCrash = vi.fn<(error: Error) => void>();
  const { engine, thread } = await engineAndThread(onCrash);
  const running = engine.run(images(1));
  void thread.terminate();
  await expect(running).rejects.toThrow(TransientError);
  await expect(engine.run(images(1))).rejects.toThrow(TransientError);
  expect(onCrash).toHaveBeenCalledTimes(1);
  expect(onCrash.mock.calls[0]?.[0].message).toContain("thread");
});

test("closing it is no crash", async () => {
  const onCrash = vi.fn<(error: Error) => void>();
  const { engine, thread } = await engineAndThread(onCrash);
  await engine.close();
  expect(thread.threadId).toBe(-1);
  expect(onCrash).not.toHaveBeenCalled();
});
