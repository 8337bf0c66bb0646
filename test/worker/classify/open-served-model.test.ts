import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, describe, expect, test } from "vitest";
import { createDirectoryStorage } from "../../../shared/storage/directory-storage.ts";
import { createLogger } from "../../../shared/logger.ts";
import { readConfig } from "../../../shared/config.ts";
import { openServedModel } from "../../../worker/classify/open-served-model.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { buildModel, DEFAULT_BUILD } from "../../../worker/model/build.ts";
import { readConfig as readModelConfig } from "../../../worker/model/config.ts";
import { demoSource } from "../../../worker/model/demo.ts";
import { ModelError } from "../../../worker/model/model-error.ts";
import { publishModel } from "../../../worker/model/repository/repository.ts";

const directory = mkdtempSync(join(tmpdir(), "tresline-models-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const open = (model: string, more: Record<string, string> = {}, logger = createLogger("test", "silent")) =>
  openServedModel(readConfig(WorkerConfig, { MODEL: model, MODELS_DIR: directory, ...more }), logger);
/** A model directory of the demo's checkpoint under another name. */
const build = (name: string, options: Partial<typeof DEFAULT_BUILD>) =>
  buildModel(
    join(demoSource("cifar10"), "checkpoint.safetensors"),
    readModelConfig(join(demoSource("cifar10"), "config.json")),
    join(directory, name),
    { ...DEFAULT_BUILD, ...options },
  );

test("a demo model is built where models are kept, and opened", async () => {
  const { name, manifest, labels, dir } = await open("figures");
  expect(name).toBe("figures");
  expect(dir).toBe(join(directory, "figures"));
  expect(labels).toHaveLength(manifest.num_classes);
});

test("a model of one's own is opened by its name", async () => {
  build("mine", {});
  expect((await open("mine")).manifest.num_classes).toBe(10);
});

test("a model that is not there is refused with its path", async () => {
  await expect(open("nobody_built_it")).rejects.toThrow(ModelError);
  await expect(open("nobody_built_it")).rejects.toThrow(join(directory, "nobody_built_it"));
});

test("a model that does not take bytes is refused with what to do", async () => {
  build("floats", { input: "float" });
  await expect(open("floats")).rejects.toThrow(
    /floats: it takes floating-point input; build it with --input uint8/,
  );
});

describe("from a repository", () => {
  const repository = join(directory, "repository");
  const fromRepository = { MODELS_URL: `file:${repository}`, MODELS_DIR: join(directory, "cache") };

  test("a model is served under its alias or its name, and kept by its digest", async () => {
    const { digest } = build("shared.one", {});
    await publishModel(createDirectoryStorage(repository), join(directory, "shared.one"), "stable");
    const byAlias = await open("stable", fromRepository);
    expect(byAlias).toMatchObject({ name: "stable", manifest: { name: "shared.one", digest } });
    expect(byAlias.dir).toBe(join(directory, "cache", `shared.one@${digest.slice("sha256:".length)}`));
    const byDigest = await open(`shared.one@${digest}`, fromRepository);
    expect(byDigest).toEqual({ ...byAlias, name: "shared.one" });
  });

  test("when it cannot be asked, the worker starts from what it has and says so", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    // A key of the repository's would be below this file.
    const broken = join(directory, "broken");
    writeFileSync(broken, "");
    const served = await open("stable", { ...fromRepository, MODELS_URL: `file:${broken}` }, logger);
    expect(served.name).toBe("stable");
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ model: "stable", msg: expect.stringMatching(/serving the copy/) }),
    ]);
  });

  test("a name it does not have is refused, and a digest needs a repository", async () => {
    await expect(open("nobody_published_it", fromRepository)).rejects.toThrow(
      /nobody_published_it: the repository has no model/,
    );
    await expect(open(`mine@sha256:${"0".repeat(64)}`)).rejects.toThrow(/set MODELS_URL/);
  });
});
