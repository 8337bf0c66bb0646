import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createLogger } from "../../../shared/logger.ts";
import { readConfig } from "../../../shared/config.ts";
import { openServedModel } from "../../../worker/classify/open-served-model.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { buildModel, DEFAULT_BUILD } from "../../../worker/model/build.ts";
import { readConfig as readModelConfig } from "../../../worker/model/config.ts";
import { demoSource } from "../../../worker/model/demo.ts";
import { ModelError } from "../../../worker/model/model-error.ts";

const directory = mkdtempSync(join(tmpdir(), "tresline-models-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const open = (model: string) =>
  openServedModel(
    readConfig(WorkerConfig, { MODEL: model, MODELS_DIR: directory }),
    createLogger("test", "silent"),
  );
/** A model directory of the demo's checkpoint under another name. */
const build = (name: string, options: Partial<typeof DEFAULT_BUILD>) =>
  buildModel(
    join(demoSource("cifar10"), "checkpoint.safetensors"),
    readModelConfig(join(demoSource("cifar10"), "config.json")),
    join(directory, name),
    { ...DEFAULT_BUILD, ...options },
  );

test("a demo model is built where models are kept, and opened", () => {
  const { manifest, labels, dir } = open("figures");
  expect(dir).toBe(join(directory, "figures"));
  expect(labels).toHaveLength(manifest.num_classes);
});

test("a model of one's own is opened by its name", () => {
  build("mine", {});
  expect(open("mine").manifest.num_classes).toBe(10);
});

test("a model that is not there is refused with its path", () => {
  expect(() => open("nobody_built_it")).toThrow(ModelError);
  expect(() => open("nobody_built_it")).toThrow(join(directory, "nobody_built_it"));
});

test("a model that does not take bytes is refused with what to do", () => {
  build("floats", { input: "float" });
  expect(() => open("floats")).toThrow(/floats: it takes floating-point input; build it with --input uint8/);
});
