import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_BUILD, buildModel } from "../../../worker/model/build.ts";
import { parseConfig } from "../../../worker/model/config.ts";
import { openModelDir } from "../../../worker/model/model-dir.ts";
import { directoryStore } from "../../../worker/model/repository/directory-store.ts";
import { fetchModel, publishModel, resolveModel } from "../../../worker/model/repository/repository.ts";
import { fixture } from "./read-tensors.ts";
import { tresline } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "tresline-repository-"));
afterAll(() => rmSync(root, { recursive: true }));

const REPOSITORY = join(root, "repository");
const store = directoryStore(REPOSITORY);
const [OLD, NEW] = [join(root, "old/tiny"), join(root, "new/tiny")];

beforeAll(() => {
  const [checkpoint, config] = [fixture("golden/tiny_s.safetensors"), parseConfig({}, "no file")];
  buildModel(checkpoint, config, OLD, DEFAULT_BUILD);
  buildModel(checkpoint, config, NEW, { ...DEFAULT_BUILD, precision: "fp16" });
});

const digestOf = (dir: string) => openModelDir(dir).manifest.digest;

test("a published model is fetched by its alias and by its digest, and an alias moves", async () => {
  const old = await publishModel(store, OLD);
  expect(old).toEqual({ name: "tiny", digest: digestOf(OLD) });
  const cache = join(root, "cache");
  expect((await fetchModel(store, "tiny", cache)).manifest).toEqual(openModelDir(OLD).manifest);

  const { out } = await tresline("publish", NEW, REPOSITORY);
  expect(out).toBe(`tiny is tiny@${digestOf(NEW)}\n`);
  expect((await fetchModel(store, "tiny", cache)).manifest.precision).toBe("fp16");
  expect((await fetchModel(store, `tiny@${old.digest}`, cache)).manifest.precision).toBe("fp32");
  expect(readdirSync(cache)).toHaveLength(2);

  await publishModel(store, OLD, "stable");
  expect(await resolveModel(store, "stable")).toEqual(old);
});

test("a cached model is not fetched again, even when the repository is gone", async () => {
  const cache = join(root, "cache-alone");
  await publishModel(store, OLD);
  const reference = `tiny@${digestOf(OLD)}`;
  const first = await fetchModel(store, reference, cache);
  expect(await fetchModel(directoryStore(join(root, "nowhere")), reference, cache)).toEqual(first);
});

test("processes that fetch the same model at once all get it", async () => {
  const cache = join(root, "cache-race");
  await publishModel(store, OLD);
  const fetched = await Promise.all(Array.from({ length: 4 }, () => fetchModel(store, "tiny", cache)));
  expect(new Set(fetched.map(({ dir }) => dir)).size).toBe(1);
  expect(readdirSync(cache)).toHaveLength(1);
});

test("a model that was changed in the repository or the cache is not opened", async () => {
  const [damaged, cache] = [join(root, "damaged"), join(root, "cache-damaged")];
  await publishModel(directoryStore(damaged), OLD);
  const hex = digestOf(OLD).slice("sha256:".length);
  const onnx = join(damaged, "models/tiny", hex, "model.onnx");
  const bytes = readFileSync(onnx);
  writeFileSync(onnx, bytes.subarray(0, -1));
  await expect(fetchModel(directoryStore(damaged), "tiny", cache)).rejects.toThrow(
    /a file was changed or damaged/,
  );
  expect(readdirSync(cache)).toEqual([]);

  cpSync(NEW, join(cache, `tiny@${hex}`), { recursive: true });
  writeFileSync(onnx, bytes);
  await expect(fetchModel(directoryStore(damaged), "tiny", cache)).rejects.toThrow(
    /of tiny expected; delete it/,
  );
});

test.each([
  ["cat", /cat: the repository has no model of this name/],
  ["../cat", /not a model name/],
  ["tiny@sha256:12", /it is an alias or NAME@sha256:DIGEST/],
  [`tiny@sha256:${"0".repeat(64)}`, /the repository lacks models\/tiny\/0+\/model\.onnx/],
])("the reference %s ends in a clear error", async (reference, message) => {
  await publishModel(store, OLD);
  await expect(fetchModel(store, reference, join(root, "cache-none"))).rejects.toThrow(message);
});

test("a directory that is no sound model is not published", async () => {
  const { code, err } = await tresline("publish", root, REPOSITORY);
  expect([code, err]).toEqual([2, expect.stringContaining("not a model directory")]);
  await expect(publishModel(store, OLD, "a/b")).rejects.toThrow(/a\/b: not a model name/);
});
