import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const SCRIPT = "infra/gpu/fetch-cuda-provider.sh";
const PROVIDER = "libonnxruntime_providers_cuda.so";
const BRIDGE = "libonnxruntime_providers_shared.so";
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tresline-provider-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A package onnxruntime-node without its binaries. */
function runtime(version: string) {
  const into = join(directory, "onnxruntime-node");
  const bin = join(into, "bin/napi-v6/linux/x64");
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(into, "package.json"),
    `{\n  "name": "onnxruntime-node",\n  "version": "${version}"\n}\n`,
  );
  return { into, bin };
}

/** A wheel with other libraries in it than the ones that are pinned. */
function wheelOfOtherLibraries(): string {
  const capi = join(directory, "onnxruntime/capi");
  mkdirSync(capi, { recursive: true });
  for (const library of [PROVIDER, BRIDGE]) writeFileSync(join(capi, library), "another build");
  execFileSync("python3", ["-m", "zipfile", "-c", "other.whl", "onnxruntime/"], { cwd: directory });
  return join(directory, "other.whl");
}

function run(...args: string[]) {
  const { status, stderr } = spawnSync("sh", [SCRIPT, ...args], { encoding: "utf8" });
  return { status, stderr };
}

test("a wheel whose libraries are of another build is refused, and nothing is installed", () => {
  const { into, bin } = runtime("1.30.0");
  const { status, stderr } = run("--into", into, "--wheel", wheelOfOtherLibraries());
  expect(status).toBe(1);
  expect(stderr).toContain("other.whl does not hold the provider of ONNX Runtime 1.30.0");
  expect(readdirSync(bin)).toEqual([]);
});

test("libraries of another build that are already there do not count as installed", () => {
  const { into, bin } = runtime("1.30.0");
  for (const library of [PROVIDER, BRIDGE]) writeFileSync(join(bin, library), "another build");
  const { status, stderr } = run("--into", into, "--wheel", join(directory, "nowhere.whl"));
  expect(status).toBe(1);
  expect(stderr).toContain("nowhere.whl is not there");
});

test("a wheel that was cut short is refused", () => {
  const { into, bin } = runtime("1.30.0");
  const wheel = join(directory, "short.whl");
  writeFileSync(wheel, "PK\u0003\u0004");
  const { status, stderr } = run("--into", into, "--wheel", wheel);
  expect(status).toBe(1);
  expect(stderr).toContain("short.whl is no wheel, or it is cut short");
  expect(readdirSync(bin)).toEqual([]);
});

test("another version of onnxruntime-node is refused before anything is downloaded", () => {
  const { status, stderr } = run("--into", runtime("1.29.0").into);
  expect(status).toBe(1);
  expect(stderr).toContain("onnxruntime-node is 1.29.0 and this script knows the provider of 1.30.0");
});

test("a folder that is no package is refused", () => {
  const { status, stderr } = run("--into", directory);
  expect(status).toBe(1);
  expect(stderr).toContain("is no package");
});

test("what is no option is refused", () => {
  const { status, stderr } = run("--form", "x");
  expect(status).toBe(1);
  expect(stderr).toContain("--form is no option");
});
