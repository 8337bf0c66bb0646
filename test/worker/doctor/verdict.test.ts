import { expect, test } from "vitest";
import type { Diagnosis } from "../../../worker/doctor/diagnosis.ts";
import { judge } from "../../../worker/doctor/verdict.ts";

type Facts = Parameters<typeof judge>[0];
const GIB = 1 << 30;

/** What a machine says on which CUDA works. */
const works: Facts = {
  device: "cuda",
  node: "24.21.0",
  onnxruntime: { version: "1.30.0", providers: [{ name: "cpu", bundled: true }] },
  sharp: { version: "0.35.5", libvips: "8.18.7", error: null },
  machine: { cores: 16, thread_pool_size: 16, memory: 128 * GIB, available_memory: 100 * GIB },
  nvidia: { driver: "580.95.05", gpus: [{ name: "NVIDIA L4", memory: 24 * GIB, free_memory: 20 * GIB }] },
  cuda: { provider: "/bin/libonnxruntime_providers_cuda.so", version: "13", missing: [] },
  model: { name: "figures", digest: `sha256:${"0".repeat(64)}`, precision: "fp32", size: [96, 96] },
  probe: {
    open_ms: 100,
    rungs: [
      { images: 1, median_ms: 1, images_per_second: 1000 },
      { images: 2, median_ms: 1.6, images_per_second: 1250 },
    ],
    error: null,
  },
};

/** The verdict where the probe failed as well, as it does when something it needs is missing. */
const failing = (facts: Partial<Facts>, error = "it does not load"): Pick<Diagnosis, "ready" | "verdict"> =>
  judge({ ...works, probe: { open_ms: null, rungs: [], error }, ...facts });

test("a machine on which every rung ran is ready, and its best rung is named", () => {
  expect(judge(works)).toEqual({
    ready: true,
    verdict: "Ready: the model runs on cuda, 1250 images/s in micro-batches of 2.",
  });
});

test.each<[string, Partial<Facts>, RegExp]>([
  [
    "without the provider",
    { cuda: { provider: null, version: null, missing: [] } },
    /CUDA provider is not installed; run infra\/gpu\/fetch-cuda-provider\.sh/,
  ],
  [
    "without CUDA's libraries",
    { cuda: { ...works.cuda, missing: ["libcublas.so.13", "libcuda.so.1", "libcudnn.so.9"] } },
    /needs libraries that are not found: libcublas\.so\.13, libcudnn\.so\.9; run infra/,
  ],
  [
    "without a driver",
    { cuda: { ...works.cuda, missing: ["libcuda.so.1"] }, nvidia: { error: "nvidia-smi is not installed" } },
    /there is no NVIDIA driver \(libcuda\.so\.1\); install it, or start the container with/,
  ],
  [
    "with a driver too old for its CUDA",
    { nvidia: { driver: "535.261.03", gpus: [] } },
    /the NVIDIA driver is 535\.261\.03 and CUDA 13 needs 580 or later/,
  ],
  ["for another reason", {}, /cannot be run on cuda: it does not load; see docs\/gpu\.md/],
])("%s, cuda is not ready and the verdict says what to do", (_, facts, verdict) => {
  expect(failing(facts)).toEqual({ ready: false, verdict: expect.stringMatching(verdict) as string });
});

test("a driver that is new enough is not blamed", () => {
  const older: Partial<Facts> = {
    cuda: { ...works.cuda, version: "12" },
    nvidia: { driver: "535.261.03", gpus: [] },
  };
  expect(failing(older).verdict).toContain("it does not load");
});

test("a missing CUDA library does not keep a worker on the CPU from being ready", () => {
  const cuda = { provider: null, version: null, missing: [] };
  expect(judge({ ...works, device: "cpu", cuda }).ready).toBe(true);
  expect(failing({ device: "cpu", cuda }).verdict).toContain("cannot be run on cpu: it does not load");
});

test("what is wrong with the packages comes before what follows from it", () => {
  const sharp = { ...works.sharp, error: "libvips is of another system" };
  const model = { error: "models/x: not a model directory." };
  expect(failing({ onnxruntime: null, sharp, model }, "GLIBC_2.28 not found").verdict).toBe(
    "Not ready: ONNX Runtime cannot be loaded: GLIBC_2.28 not found; install the npm packages again on this machine (npm ci).",
  );
  expect(failing({ sharp, model }).verdict).toContain("libvips is of another system");
  expect(failing({ model }).verdict).toBe(
    "Not ready: models/x: not a model directory; see MODEL and MODELS_DIR in the README.",
  );
});
