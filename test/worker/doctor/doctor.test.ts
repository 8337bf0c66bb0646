import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Diagnosis } from "../../../worker/doctor/diagnosis.ts";
import { findCudaLibraries } from "../../../worker/doctor/cuda-libraries.ts";

const modelsDir = mkdtempSync(join(tmpdir(), "tresline-models-"));
afterAll(() => rmSync(modelsDir, { recursive: true, force: true }));
const { provider } = await findCudaLibraries("");

function run(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["worker/cli.ts", ...args], {
    encoding: "utf8",
    env: { ...process.env, MODELS_DIR: modelsDir, MODEL: "figures", MAX_BATCH_SIZE: "3", ...env },
  });
  return { status, stdout, stderr };
}

function diagnosis(env: Record<string, string>) {
  const { status, stdout } = run(["doctor", "--json"], env);
  return { status, found: JSON.parse(stdout) as Diagnosis };
}

test("on the CPU the doctor runs the demo model on every rung and calls the machine ready", () => {
  const { status, found } = diagnosis({ DEVICE: "cpu", UV_THREADPOOL_SIZE: "7" });
  expect(status).toBe(0);
  expect(found).toMatchObject({
    ready: true,
    device: "cpu",
    node: process.versions.node,
    model: { name: "figures", precision: "fp32", size: [96, 96] },
    sharp: { error: null },
    probe: { error: null },
  });
  expect(found.verdict).toMatch(/^Ready: the model runs on cpu, \d+ images\/s in micro-batches of [123]\.$/);
  expect(found.probe.rungs.map(({ images }) => images)).toEqual([1, 2, 3]);
  for (const { median_ms, images_per_second, images } of found.probe.rungs) {
    expect(median_ms).toBeGreaterThan(0);
    expect(images_per_second / ((images * 1000) / median_ms)).toBeCloseTo(1, 1);
  }
  expect(found.onnxruntime?.version).toMatch(/^1\.\d+\.\d+$/);
  expect(found.onnxruntime?.providers).toContainEqual({ name: "cpu", bundled: true });
  expect(found.machine.thread_pool_size).toBe(7);
  expect(found.machine.available_memory).toBeLessThanOrEqual(found.machine.memory);
});

test.skipIf(provider !== null)(
  "without the CUDA provider the doctor says so, exits with 1 and does not time the CPU instead",
  () => {
    const { status, found } = diagnosis({ DEVICE: "cuda" });
    expect(status).toBe(1);
    expect(found.ready).toBe(false);
    expect(found.verdict).toContain("CUDA provider is not installed; run infra/gpu/fetch-cuda-provider.sh");
    expect(found.cuda).toEqual({ provider: null, version: null, missing: [] });
    expect(found.probe.rungs).toEqual([]);
    expect(found.probe.error).toContain("libonnxruntime_providers");
  },
);

test("a model that is not there is told, and the rest of the machine is looked at all the same", () => {
  const { status, found } = diagnosis({ MODEL: "no-such-model" });
  expect(status).toBe(1);
  expect(found.verdict).toContain("no-such-model: not a model directory");
  expect(found.probe).toEqual({ open_ms: null, rungs: [], error: null });
  expect(found.onnxruntime?.version).toMatch(/^1\./);
});

test("as text it fits into 80 columns and ends with the verdict", () => {
  const { stdout } = run(["doctor"], { DEVICE: "cpu" });
  const lines = stdout.trimEnd().split("\n");
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.at(-1)).toMatch(/^Ready: /);
  expect(stdout).toMatch(/^Model +figures, fp32, 96 × 96$/m);
});

test("an environment that no worker would start with is told in one line", () => {
  const { status, stderr, stdout } = run(["doctor"], { DEVICE: "gpu" });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain('tresline-worker: DEVICE must be one of cpu, cuda, webgpu (it is "gpu").');
});

test("without a command it prints help, and what it does not know it refuses", () => {
  expect(run([])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("Usage: tresline-worker") as string,
  });
  expect(run(["docter"])).toMatchObject({ status: 2, stdout: "" });
  expect(run(["doctor", "--jsn"])).toMatchObject({ status: 2, stdout: "" });
});
