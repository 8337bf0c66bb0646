import { expect, test } from "vitest";
import { notFound } from "../../../worker/doctor/cuda-libraries.ts";
import { parseGpus } from "../../../worker/doctor/nvidia.ts";
import { reasonOf } from "../../../worker/doctor/reason-of.ts";

test("of what ldd prints, the libraries that the loader does not find are taken", () => {
  const ldd = [
    "\tlinux-vdso.so.1 (0x00007ffd0a5f2000)",
    "\tlibcublas.so.13 => not found",
    "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f0000000000)",
    "\tlibcuda.so.1 => not found",
    "\t/lib64/ld-linux-x86-64.so.2 (0x00007f1111111000)",
    "",
  ].join("\n");
  expect(notFound(ldd)).toEqual(["libcublas.so.13", "libcuda.so.1"]);
});

test("of what nvidia-smi prints, the driver and each GPU's name and memory are taken", () => {
  expect(parseGpus("580.95.05, NVIDIA L4, 23034, 22500\n580.95.05, NVIDIA L4, 23034, 1\n")).toEqual({
    driver: "580.95.05",
    gpus: [
      { name: "NVIDIA L4", memory: 23034 * 2 ** 20, free_memory: 22500 * 2 ** 20 },
      { name: "NVIDIA L4", memory: 23034 * 2 ** 20, free_memory: 2 ** 20 },
    ],
  });
  expect(parseGpus("\n")).toEqual({ error: "nvidia-smi lists no GPU" });
});

test.each([
  [
    "the library that is missing, from the log",
    "OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library",
    "[E:onnxruntime] Failed to load library /a/b/libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file or directory\n\u001b[m",
    "libcublasLt.so.13: cannot open shared object file: No such file or directory",
  ],
  [
    "what CUDA says, from between C++ signatures",
    "/src/cuda_call.cc:154 std::conditional_t<THRW, void> CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; expr=cudaSetDevice(0); ",
    "",
    "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
  ],
  [
    "both what WebGPU says and what Vulkan says",
    "/src/webgpu_context.cc:136 adapter_result was false. Failed to get a WebGPU adapter: No supported adapters\n",
    "Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file\n    at operator()",
    "Failed to get a WebGPU adapter: No supported adapters; Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file",
  ],
  [
    "the error of a process that ended early",
    "the process that ran it ended with 1",
    "node:internal/modules\nError: /a/b/onnxruntime_binding.node: cannot open shared object file\n    at Module",
    "onnxruntime_binding.node: cannot open shared object file",
  ],
  ["anything else, as it was thrown", "Unexpected input data type.\nmore", "", "Unexpected input data type"],
])("the reason that is told is %s", (_, message, log, reason) => {
  expect(reasonOf(message, log)).toBe(reason);
});
