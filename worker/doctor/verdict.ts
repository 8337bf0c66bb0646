import type { Diagnosis } from "./diagnosis.ts";

/** The driver that each CUDA needs (CUDA Compatibility, Minor Version Compatibility, table 1). */
const CUDA_DRIVERS: Readonly<Record<string, number>> = { "12": 525, "13": 580 };

const SAYS_WHAT_TO_INSTALL =
  "run infra/gpu/fetch-cuda-provider.sh, which says what to install, or see docs/gpu.md";

/** Whether a worker would run, and in one sentence why not and what to do: the first trouble that explains the others. */
export function judge(facts: Omit<Diagnosis, "ready" | "verdict">): Pick<Diagnosis, "ready" | "verdict"> {
  const trouble = findTrouble(facts);
  if (trouble !== undefined) return { ready: false, verdict: `Not ready: ${trouble}` };
  const best = facts.probe.rungs.toSorted((a, b) => b.images_per_second - a.images_per_second)[0];
  const speed = best ? `, ${best.images_per_second} images/s in micro-batches of ${best.images}` : "";
  return { ready: true, verdict: `Ready: the model runs on ${facts.device}${speed}.` };
}

function findTrouble(facts: Omit<Diagnosis, "ready" | "verdict">): string | undefined {
  const { device, onnxruntime, sharp, model, probe } = facts;
  if (onnxruntime === null)
    return `ONNX Runtime cannot be loaded: ${probe.error}; install the npm packages again on this machine (npm ci).`;
  if (sharp.error !== null)
    return `the image decoder does not work: ${sharp.error}; install the npm packages again on this machine (npm ci).`;
  if ("error" in model) return `${model.error.replace(/\.$/, "")}; see MODEL and MODELS_DIR in the README.`;
  if (probe.error === null) return undefined;
  const cause = device === "cuda" ? cudaTrouble(facts) : undefined;
  return cause ?? `the model cannot be run on ${device}: ${probe.error}; ${advice(device)}.`;
}

/** What keeps the CUDA provider from loading, when that can be told. */
function cudaTrouble({ cuda, nvidia }: Pick<Diagnosis, "cuda" | "nvidia">): string | undefined {
  if (cuda.provider === null)
    return `ONNX Runtime's CUDA provider is not installed; run infra/gpu/fetch-cuda-provider.sh (Linux x86-64).`;
  const libraries = cuda.missing.filter((library) => library !== "libcuda.so.1");
  if (libraries.length > 0)
    return `the CUDA provider needs libraries that are not found: ${libraries.join(", ")}; ${SAYS_WHAT_TO_INSTALL}.`;
  if (cuda.missing.length > 0)
    return `there is no NVIDIA driver (libcuda.so.1); install it, or start the container with the host's GPUs (docker run --gpus all).`;
  if ("error" in nvidia) return undefined;
  const needed = CUDA_DRIVERS[cuda.version ?? ""];
  if (needed !== undefined && Number.parseInt(nvidia.driver, 10) < needed)
    return `the NVIDIA driver is ${nvidia.driver} and CUDA ${cuda.version} needs ${needed} or later; install a newer driver.`;
  return undefined;
}

function advice(device: string): string {
  if (device === "cuda") return "see docs/gpu.md";
  if (device === "webgpu")
    return "install a Vulkan loader and driver (libvulkan1), or set DEVICE to another device";
  return "build or pull the model again";
}
