import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Worker } from "node:worker_threads";
import { afterAll, expect, test, vi } from "vitest";
import { ConfigError } from "../../../shared/config.ts";
import { TransientError } from "../../../shared/errors.ts";
import { createLogger } from "../../../shared/logger.ts";
import { startEngine } from "../../../worker/engine/engine.ts";
import type { Engine } from "../../../worker/engine/engine.ts";
import { rungFor } from "../../../worker/engine/ladder.ts";
import { figuresEngine, figuresModel } from "../../support/figures.ts";
import { buildModel, DEFAULT_BUILD } from "../../../worker/model/build.ts";
import { readConfig } from "../../../worker/model/config.ts";
import { demoSource } from "../../../worker/model/demo.ts";
import { openModelDir } from "../../../worker/model/model-dir.ts";
import { encodeModel } from "../../../worker/model/onnx/encode.ts";
import { Graph } from "../../../worker/model/onnx/graph.ts";
import { fixture, readTensors } from "../model/read-tensors.ts";

const model = figuresModel();
const inputs = readTensors(fixture("figures/samples_inputs.safetensors")).get("inputs").data;
const CUDA_LIBRARY = "bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so";
const IMAGE_BYTES = 96 * 96 * 3;
const image = (index: number) =>
  Uint8Array.from(inputs.subarray(index * IMAGE_BYTES, (index + 1) * IMAGE_BYTES));

/** Runs the samples `from` … as one micro-batch; a row of scores and a row of their classes for each. */
async function answersOf(engine: Engine, count: number, from = 0, slab = engine.createSlab()) {
  for (let row = 0; row < count; row++) slab.put(row, image(from + row));
  const inferenceMs = await engine.run(slab, rungFor(engine.rungs, count));
  expect(inferenceMs).toBeGreaterThan(0);
  return Array.from({ length: count }, (_, row) => {
    const answer = Array.from(slab.answerOf(row));
    return { scores: answer.slice(0, answer.length / 2), classes: answer.slice(answer.length / 2) };
  });
}

test("every image gets an answer of its own, whatever the micro-batch is padded to", async () => {
  const engine = await figuresEngine(model, { maxBatchSize: 8 });
  const alone: Awaited<ReturnType<typeof answersOf>> = [];
  for (let i = 0; i < 8; i++) alone.push(...(await answersOf(engine, 1, 40 + i)));
  for (const count of [1, 2, 3, 5, 8]) {
    const answers = await answersOf(engine, count, 40);
    for (const [row, { scores, classes }] of answers.entries()) {
      expect(scores.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(classes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
      expect(classes[0]).toBe(alone[row]?.classes[0]);
      for (const [place, score] of scores.entries())
        expect(score).toBeCloseTo(alone[row]?.scores[place] ?? NaN, 5);
    }
  }
});

test("a model that tells three classes of twelve tells the best three", async () => {
  const threeOnly = join(mkdtempSync(join(tmpdir(), "tresline-top-")), "figures");
  afterAll(() => rmSync(dirname(threeOnly), { recursive: true, force: true }));
  const source = demoSource("figures");
  const config = readConfig(join(source, "config.json"));
  buildModel(join(source, "checkpoint.safetensors"), config, threeOnly, { ...DEFAULT_BUILD, topK: 3 });
  const few = await figuresEngine(openModelDir(threeOnly), { topK: 3, maxBatchSize: 4 });
  const all = await answersOf(await figuresEngine(model, { maxBatchSize: 4 }), 3, 70);
  const best = all.map(({ scores, classes }) => ({
    scores: scores.slice(0, 3),
    classes: classes.slice(0, 3),
  }));
  expect(await answersOf(few, 3, 70)).toEqual(best);
});

test("a graph without the output that is served is refused at the start, with what to do", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "tresline-top-")), "model.onnx");
  afterAll(() => rmSync(dirname(path), { recursive: true, force: true }));
  const graph = new Graph();
  graph.output(graph.node("Identity", "scores", [graph.input("image", "float32", [1])]), "float32", [1]);
  writeFileSync(path, Buffer.concat([...encodeModel(graph)]));
  await expect(figuresEngine(model, { onnxPath: path })).rejects.toThrow(/no output "top": .*build it again/);
});

test("what was left in a slab by a larger micro-batch changes nothing", async () => {
  const engine = await figuresEngine(model, { maxBatchSize: 4 });
  const slab = engine.createSlab();
  const before = await answersOf(engine, 3, 0, slab);
  await answersOf(engine, 4, 100, slab);
  expect(await answersOf(engine, 3, 0, slab)).toEqual(before);
  expect(before[0]).not.toEqual(before[1]);
});

test("two instances run two micro-batches side by side, each in its own slab", async () => {
  const engine = await figuresEngine(model, { maxBatchSize: 4, instances: 2 });
  const one = await answersOf(engine, 4);
  const two = await answersOf(engine, 4, 50);
  const both = await Promise.all([answersOf(engine, 4), answersOf(engine, 4, 50)]);
  expect(both).toEqual([one, two]);
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

test("closing it while it runs lets the micro-batch end and is no crash", async () => {
  const onCrash = vi.fn<(error: Error) => void>();
  const started = once(process, "worker") as Promise<[Worker]>;
  const engine = await figuresEngine(model, { maxBatchSize: 4, onCrash });
  const [thread] = await started;
  const running = answersOf(engine, 4);
  await engine.close();
  expect(await running).toHaveLength(4);
  expect(thread.threadId).toBe(-1);
  expect(onCrash).not.toHaveBeenCalled();
});

/** Threads that do to the engine what a broken driver does. */
function brokenThread(source: string): URL {
  const directory = mkdtempSync(join(tmpdir(), "tresline-thread-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "thread.mjs");
  writeFileSync(file, `import { parentPort, workerData } from "node:worker_threads";\n${source}`);
  return pathToFileURL(file);
}
const broken = (source: string, onCrash: (error: Error) => void = () => {}) =>
  startEngine({
    onnxPath: "",
    device: "cpu",
    instances: 1,
    maxBatchSize: 1,
    size: [1, 1],
    topK: 1,
    logger: createLogger("test", "silent"),
    onLost: () => {},
    onCrash,
    threadEntry: brokenThread(source),
    hungAfterMs: 300,
  });

test("a thread that really hangs is given up by the watchdog and replaced, and the next micro-batch runs", async () => {
  const engine = await broken(`
    parentPort.on("message", ({ pixels }) => {
      if (new Uint8Array(pixels)[0] === 13) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      parentPort.postMessage({ kind: "done", inferenceMs: 1 });
    });
    parentPort.postMessage({ kind: "ready", warmMs: [1] });`);
  const slab = engine.createSlab();
  slab.put(0, Uint8Array.of(13, 0, 0));
  const hung = engine.run(slab, 1);
  await expect(hung).rejects.toThrow(TransientError);
  await expect(hung).rejects.toMatchObject({ cause: { message: "No answer for 300 ms." } });
  expect(await engine.run(engine.createSlab(), 1)).toBe(1);
  await engine.close();
});

test("a thread that ends by itself fails the micro-batch it had, and is replaced", async () => {
  const engine = await broken(`
    parentPort.on("message", ({ pixels }) => {
      if (new Uint8Array(pixels)[0] === 13) process.exit(1);
      parentPort.postMessage({ kind: "done", inferenceMs: 1 });
    });
    parentPort.postMessage({ kind: "ready", warmMs: [1] });`);
  const slab = engine.createSlab();
  slab.put(0, Uint8Array.of(13, 0, 0));
  await expect(engine.run(slab, 1)).rejects.toThrow(TransientError);
  expect(await engine.run(engine.createSlab(), 1)).toBe(1);
  await engine.close();
});

test("when no thread can be started in the place of a lost one, the process is told to end", async () => {
  const onCrash = vi.fn<(error: Error) => void>();
  const marker = join(mkdtempSync(join(tmpdir(), "tresline-started-")), "once");
  const engine = await broken(
    `
    import { existsSync, writeFileSync } from "node:fs";
    if (existsSync(${JSON.stringify(marker)})) throw new Error("the device is gone");
    writeFileSync(${JSON.stringify(marker)}, "");
    parentPort.on("message", () => process.exit(1));
    parentPort.postMessage({ kind: "ready", warmMs: [1] });`,
    onCrash,
  );
  await expect(engine.run(engine.createSlab(), 1)).rejects.toThrow(TransientError);
  await expect.poll(() => onCrash.mock.calls[0]?.[0].message).toBe("the device is gone");
  rmSync(dirname(marker), { recursive: true, force: true });
  await engine.close();
});

test("what is to be run after the engine was closed gets no answer, since an error would be an image's failure", async () => {
  const engine = await figuresEngine(model, { maxBatchSize: 1 });
  const slab = engine.createSlab();
  await engine.close();
  const settled = vi.fn<() => void>();
  void engine.run(slab, 1).then(settled, settled);
  await engine.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).not.toHaveBeenCalled();
});
