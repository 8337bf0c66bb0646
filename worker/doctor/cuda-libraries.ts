import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { CudaLibraries } from "./diagnosis.ts";

const run = promisify(execFile);

/** The provider is opened together with the second, through which it talks to ONNX Runtime. */
const PROVIDER = "libonnxruntime_providers_cuda.so";
const BRIDGE = "libonnxruntime_providers_shared.so";
/** The provider opens it by name when it first needs it, so that `ldd` does not list it (ONNX Runtime 1.30). */
const CUDNN = "libcudnn.so.9";

/** Looks for the CUDA provider beside ONNX Runtime's binary, and for what the loader misses to load it. `libraryPath` is LD_LIBRARY_PATH. */
export async function findCudaLibraries(libraryPath: string): Promise<CudaLibraries> {
  const provider = findProvider();
  if (provider === null) return { provider, version: null, missing: [] };
  const { stdout } = await run("ldd", [provider]);
  const missing = notFound(stdout);
  if (!existsSync(join(dirname(provider), BRIDGE))) missing.unshift(BRIDGE);
  if (!(await isFound(CUDNN, libraryPath))) missing.push(CUDNN);
  return { provider, version: /libcudart\.so\.(\d+)/.exec(stdout)?.[1] ?? null, missing };
}

/** The libraries that `ldd` prints as not found. */
export function notFound(ldd: string): string[] {
  return [...ldd.matchAll(/^\s*(\S+) => not found$/gm)].map(([, library]) => library ?? "");
}

/** ONNX Runtime has CUDA for Node on Linux x86-64 alone. */
function findProvider(): string | null {
  const runtime = findPackageJSON("onnxruntime-node", import.meta.url);
  if (runtime === undefined || process.platform !== "linux" || process.arch !== "x64") return null;
  return globSync(join(dirname(runtime), "bin/napi-v*/linux/x64", PROVIDER))[0] ?? null;
}

async function isFound(library: string, libraryPath: string): Promise<boolean> {
  const folders = libraryPath.split(":").filter((folder) => folder !== "");
  if (folders.some((folder) => existsSync(join(folder, library)))) return true;
  // Debian keeps it out of the PATH of those who are not root.
  const { stdout } = await run("/sbin/ldconfig", ["-p"], { maxBuffer: 1 << 26 });
  return stdout.includes(`\t${library} `);
}
