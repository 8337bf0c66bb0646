import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { DEFAULT_BUILD, buildModel } from "../../../worker/model/build.ts";
import { parseConfig } from "../../../worker/model/config.ts";
import { openModelDir } from "../../../worker/model/model-dir.ts";
import { ModelError } from "../../../worker/model/model-error.ts";
import { createDirectoryStorage } from "../../../shared/storage/directory-storage.ts";
import { fetchModel as fetchOrCached } from "../../../worker/model/repository/fetch-model.ts";
import type { ModelStore } from "../../../worker/model/repository/model-store.ts";
import { publishModel, resolveModel } from "../../../worker/model/repository/repository.ts";
import { fixture } from "./read-tensors.ts";
import { tresline } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "tresline-repository-"));
afterAll(() => rmSync(root, { recursive: true }));

const REPOSITORY = join(root, "repository");
const store = createDirectoryStorage(REPOSITORY);
const [OLD, NEW] = [join(root, "old/tiny"), join(root, "new/tiny")];

beforeAll(() => {
  const [checkpoint, config] = [fixture("golden/tiny_s.safetensors"), parseConfig({}, "no file")];
  buildModel(checkpoint, config, OLD, DEFAULT_BUILD);
  buildModel(checkpoint, config, NEW, { ...DEFAULT_BUILD, precision: "fp16" });
});

/** The same for a repository that answers. */
const fetchModel = (from: ModelStore, reference: string, cacheDir: string) =>
  fetchOrCached(from, reference, cacheDir, (reason) => {
    throw reason;
  });

/** A repository that cannot be asked. */
const away = async () => {
  throw new Error("S3 could not read: connection refused");
};
const unreachable: ModelStore = { put: away, get: away, getStream: away };

/** What a cache holds besides the repository's answers. */
const modelsIn = (cache: string) => readdirSync(cache).filter((name) => name !== ".aliases");

const digestOf = (dir: string) => openModelDir(dir).manifest.digest;

test("a published model is fetched by its alias and by its digest, and an alias moves", async () => {
  const old = await publishModel(store, OLD);
  expect(old).toEqual({ name: "tiny", digest: digestOf(OLD) });
  const cache = join(root, "cache");
  expect((await fetchModel(store, "tiny", cache)).manifest).toEqual(openModelDir(OLD).manifest);

  const { out } = await tresline("publish", NEW, `file:${REPOSITORY}`);
  expect(out).toBe(`tiny is tiny@${digestOf(NEW)}\n`);
  expect((await fetchModel(store, "tiny", cache)).manifest.precision).toBe("fp16");
  expect((await fetchModel(store, `tiny@${old.digest}`, cache)).manifest.precision).toBe("fp32");
  expect(modelsIn(cache)).toHaveLength(2);

  await publishModel(store, OLD, "stable");
  expect(await resolveModel(store, "stable")).toEqual(old);
});

test("a cached model is not fetched again, even when the repository is gone", async () => {
  const cache = join(root, "cache-alone");
  await publishModel(store, OLD);
  const reference = `tiny@${digestOf(OLD)}`;
  const first = await fetchModel(store, reference, cache);
  expect(await fetchModel(createDirectoryStorage(join(root, "nowhere")), reference, cache)).toEqual(first);
});

test("when the repository cannot be asked, an alias means what it last meant, and the reason is told", async () => {
  const cache = join(root, "cache-outage");
  await publishModel(store, OLD);
  const first = await fetchModel(store, "tiny", cache);
  const onOutage = vi.fn<(reason: Error) => void>();
  expect(await fetchOrCached(unreachable, "tiny", cache, onOutage)).toEqual(first);
  expect(onOutage).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ message: expect.stringMatching(/refused/) }),
  );
});

test("a repository that goes away in the middle of a new version leaves nothing half and the old one served", async () => {
  const cache = join(root, "cache-middle");
  await publishModel(store, OLD);
  const first = await fetchModel(store, "tiny", cache);
  await publishModel(store, NEW);
  const breaking: ModelStore = {
    ...store,
    async getStream(key) {
      const whole = await store.getStream(key);
      if (!key.endsWith("model.onnx")) return whole;
      let pieces = 0;
      return whole?.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(piece, controller) {
            if (++pieces > 1) throw new Error("the connection was reset");
            controller.enqueue(piece);
          },
        }),
      );
    },
  };
  const onOutage = vi.fn<(reason: Error) => void>();
  expect(await fetchOrCached(breaking, "tiny", cache, onOutage)).toEqual(first);
  expect(onOutage).toHaveBeenCalledOnce();
  expect(readdirSync(cache).toSorted()).toEqual([".aliases", basename(first.dir)]);
  expect((await fetchModel(store, "tiny", cache)).manifest.precision).toBe("fp16");
});

test("what was never fetched cannot be had without the repository, and the sentence says why", async () => {
  const outage = fetchOrCached(unreachable, "tiny", join(root, "cache-empty"), () => {});
  await expect(outage).rejects.toThrow(ModelError);
  await expect(outage).rejects.toThrow(/^tiny: it cannot be fetched, and .*cache-empty has no copy.*refused/);
});

test("a download whose process was killed is taken away a day later, one that goes on is not", async () => {
  const cache = join(root, "cache-killed");
  for (const name of ["old", "new"]) {
    mkdirSync(join(cache, `.fetch-${name}`), { recursive: true });
    writeFileSync(join(cache, `.fetch-${name}`, "model.onnx"), "half");
  }
  const yesterday = Date.now() / 1000 - 90_000;
  utimesSync(join(cache, ".fetch-old"), yesterday, yesterday);
  await publishModel(store, OLD);
  await fetchModel(store, "tiny", cache);
  expect(readdirSync(cache).filter((name) => name.startsWith(".fetch-"))).toEqual([".fetch-new"]);
});

test("processes that fetch the same model at once all get it", async () => {
  const cache = join(root, "cache-race");
  await publishModel(store, OLD);
  const fetched = await Promise.all(Array.from({ length: 4 }, () => fetchModel(store, "tiny", cache)));
  expect(new Set(fetched.map(({ dir }) => dir)).size).toBe(1);
  expect(modelsIn(cache)).toHaveLength(1);
});

test("a model that was changed in the repository or the cache is not opened", async () => {
  const [damaged, cache] = [join(root, "damaged"), join(root, "cache-damaged")];
  await publishModel(createDirectoryStorage(damaged), OLD);
  const hex = digestOf(OLD).slice("sha256:".length);
  const onnx = join(damaged, "models/tiny", hex, "model.onnx");
  const bytes = readFileSync(onnx);
  writeFileSync(onnx, bytes.subarray(0, -1));
  await expect(fetchModel(createDirectoryStorage(damaged), "tiny", cache)).rejects.toThrow(
    /a file was changed or damaged/,
  );
  expect(readdirSync(cache)).toEqual([]);

  cpSync(NEW, join(cache, `tiny@${hex}`), { recursive: true });
  writeFileSync(onnx, bytes);
  await expect(fetchModel(createDirectoryStorage(damaged), "tiny", cache)).rejects.toThrow(
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
  const { code, err } = await tresline("publish", root, `file:${REPOSITORY}`);
  expect([code, err]).toEqual([2, expect.stringContaining("not a model directory")]);
  await expect(publishModel(store, OLD, "a/b")).rejects.toThrow(/a\/b: not a model name/);
});

test.each([
  ["a plain path", "models", /models: The storage URL "models" is not understood: write s3:/],
  ["a directory that cannot be made", "file:/dev/null/models", /ENOTDIR|not a directory/],
])("%s is no repository to publish to, and the sentence says so", async (_, url, message) => {
  const { code, err } = await tresline("publish", OLD, url);
  expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  expect(err.trimEnd().split("\n")).toHaveLength(1);
});
