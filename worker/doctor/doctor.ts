import { createRequire, findPackageJSON } from "node:module";
import { availableParallelism, totalmem } from "node:os";
import { readFileSync } from "node:fs";
import { createLogger } from "../../shared/logger.ts";
import { openServedModel } from "../classify/open-served-model.ts";
import type { WorkerConfig } from "../config.ts";
import type { ModelDir } from "../model/model-dir.ts";
import { ModelError } from "../model/model-error.ts";
import { findCudaLibraries } from "./cuda-libraries.ts";
import type { Diagnosis, Failure, ImageDecoder, Machine, Model } from "./diagnosis.ts";
import { askNvidia } from "./nvidia.ts";
import { probe } from "./probe.ts";
import { judge } from "./verdict.ts";

/** The threads of libuv's pool when UV_THREADPOOL_SIZE is not set. */
const LIBUV_THREADS = 4;

/** A WebP of one white pixel. */
const PIXEL = Buffer.from("UklGRh4AAABXRUJQVlA4TBEAAAAvAAAAAAfQ//73v/+BiOh/AAA=", "base64");

/** Looks at everything that classifying needs on this machine and runs the model on it. `env` gives UV_THREADPOOL_SIZE and LD_LIBRARY_PATH. */
export async function diagnose(
  config: WorkerConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Diagnosis> {
  const { DEVICE: device, MAX_BATCH_SIZE: maxBatchSize } = config;
  const opened = await open(config);
  const [sharp, nvidia, cuda] = await Promise.all([
    tryDecoder(),
    askNvidia(),
    findCudaLibraries(env["LD_LIBRARY_PATH"] ?? ""),
  ]);
  const run = await probe({ device, maxBatchSize, model: "error" in opened ? null : toProbe(opened) });
  const facts = {
    device,
    node: process.versions.node,
    onnxruntime: run.runtime,
    sharp,
    machine: machine(Number(env["UV_THREADPOOL_SIZE"]) || LIBUV_THREADS),
    nvidia,
    cuda,
    model: "error" in opened ? opened : describe(config.MODEL, opened),
    probe: run.probe,
  };
  return { ...judge(facts), ...facts };
}

async function open(config: WorkerConfig): Promise<ModelDir | Failure> {
  try {
    return await openServedModel(config, createLogger("doctor", "silent"));
  } catch (error) {
    if (error instanceof ModelError) return { error: error.message };
    throw error;
  }
}

const toProbe = ({ onnxPath, manifest }: ModelDir) => ({
  onnxPath,
  size: manifest.input.size,
  topK: manifest.top_k,
});

const describe = (name: string, { manifest: { digest, precision, input } }: ModelDir): Model => ({
  name,
  digest,
  precision,
  size: input.size,
});

const machine = (threadPoolSize: number): Machine => ({
  cores: availableParallelism(),
  thread_pool_size: threadPoolSize,
  memory: Math.min(process.constrainedMemory() || Infinity, totalmem()),
  available_memory: process.availableMemory(),
});

/** Decodes a picture. The import is where sharp fails when its libraries are of another system. */
async function tryDecoder(): Promise<ImageDecoder> {
  const versions = { version: sharpVersion(), libvips: libvipsVersion() };
  try {
    const { preprocess } = await import("../image/preprocess.ts");
    const how = { cropMode: "squash", cropPct: 1, interpolation: "bilinear", maxPixels: 1 } as const;
    await preprocess(PIXEL, { size: [1, 1], ...how });
    return { ...versions, error: null };
  } catch (error) {
    return { ...versions, error: error instanceof Error ? (error.message.split("\n")[0] ?? "") : "" };
  }
}

function sharpVersion(): string {
  const path = findPackageJSON("sharp", import.meta.url);
  if (path === undefined) return "not installed";
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

/** Null when sharp runs on the system's own libvips. */
function libvipsVersion(): string | null {
  const { platform, arch } = process;
  try {
    const versions: unknown = createRequire(import.meta.url)(
      `@img/sharp-libvips-${platform}-${arch}/versions`,
    );
    return (versions as { vips: string }).vips;
  } catch {
    return null;
  }
}
