import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseConfig } from "../../../worker/model/config.ts";
import { sha256File } from "../../../worker/model/digest.ts";
import { openModelDir } from "../../../worker/model/model-dir.ts";
import { fixture } from "./read-tensors.ts";
import { tresline } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "tresline-build-"));
afterAll(() => rmSync(root, { recursive: true }));

const CHECKPOINT = fixture("golden/tiny_m.safetensors");
const CONFIG = { layers: [1, 1, 2, 1], width_factor: 0.25, num_classes: 10, input_size: [3, 64, 64] };
let files = 0;

function configFile(config: unknown): string {
  const path = join(root, `config-${files++}.json`);
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

const build = (config: unknown, out: string, ...more: string[]) =>
  tresline(
    "build",
    "--checkpoint",
    CHECKPOINT,
    "--config",
    configFile(config),
    "--out",
    join(root, out),
    ...more,
  );

test("build writes a model directory that opens, and the same bytes again from the same files", async () => {
  expect((await build(CONFIG, "a/tiny")).code).toBe(0);
  expect((await build(CONFIG, "b/tiny")).code).toBe(0);
  expect(readdirSync(join(root, "a"))).toEqual(["tiny"]);
  const { manifest, labels } = openModelDir(join(root, "a/tiny"));
  expect(manifest).toMatchObject({
    name: "tiny",
    num_classes: 10,
    parameters: 568_794,
    activation: "softmax",
  });
  expect(manifest.preprocess).toEqual({
    crop_pct: 0.875,
    crop_mode: "center",
    interpolation: "bilinear",
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
  expect(labels[9]).toBe("class_9");
  const bytes = (dir: string) =>
    ["model.onnx", "model.json", "labels.json"].map((file) => sha256File(join(root, dir, file)));
  expect(bytes("a/tiny")).toEqual(bytes("b/tiny"));
});

test("building over an existing model directory replaces it", async () => {
  expect((await build(CONFIG, "replaced")).code).toBe(0);
  expect((await build({ ...CONFIG, activation: "sigmoid" }, "replaced", "--input", "float")).code).toBe(0);
  const { manifest } = openModelDir(join(root, "replaced"));
  expect(manifest.activation).toBe("sigmoid");
  expect(manifest.input).toEqual({ name: "input", dtype: "float32", size: [64, 64] });
});

test("a folder or file that is no model directory is never replaced", async () => {
  const [folder, file] = [join(root, "precious"), join(root, "precious.txt")];
  mkdirSync(folder);
  writeFileSync(join(folder, "thesis.tex"), "years of work");
  writeFileSync(file, "more work");
  for (const out of ["precious", "precious.txt"]) {
    const { code, err } = await build(CONFIG, out);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("it is there already and is no model directory"),
    ]);
  }
  expect([readdirSync(folder), readFileSync(file, "utf8")]).toEqual([["thesis.tex"], "more work"]);
  mkdirSync(join(root, "empty"));
  expect((await build(CONFIG, "empty")).code).toBe(0);
});

test("labels may be a text or TSV file beside the config", async () => {
  writeFileSync(join(root, "names.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  writeFileSync(
    join(root, "names.tsv"),
    Array.from("abcdefghij", (name, i) => `${i}\tn0000${i}\t${name}`).join("\n"),
  );
  for (const labels of ["names.txt", "names.tsv"]) {
    expect((await build({ ...CONFIG, labels }, `with-${labels}`)).err).toBe("");
    expect(openModelDir(join(root, `with-${labels}`)).labels.join("")).toBe("abcdefghij");
  }
});

test("labels may be one of the lists that come with Tresline, which have the published lengths", () => {
  const lengths = ["imagenet-1k", "imagenet-21k-p", "mscoco-80"].map(
    (labels) => parseConfig({ labels }, "config").labels?.length,
  );
  expect(lengths).toEqual([1000, 11_221, 80]);
});

test.each([
  ["a field that does not exist", { ...CONFIG, lables: [] }, /Unrecognized key: "lables"/],
  ["a class count that is text", { ...CONFIG, num_classes: "10" }, /num_classes: /],
  ["a nested field", { ...CONFIG, leaky_slopes: { stem: -1, blocks: 0 } }, /leaky_slopes\.stem: /],
  ["a size that is no multiple of four", { ...CONFIG, input_size: [3, 66, 66] }, /input_size\.1: /],
  ["too few labels", { ...CONFIG, labels: ["cat"] }, /labels: 1 names for the 10 classes of/],
  [
    "a label file that is not there",
    { ...CONFIG, labels: "none.txt" },
    /none\.txt: cannot be read \(ENOENT\)/,
  ],
  ["no JSON", "layers: 3", /not JSON/],
  [
    "another depth",
    { ...CONFIG, layers: [1, 1, 3, 1] },
    /tensor body\.layer3\.2\.conv1\.conv\.weight is missing/,
  ],
  [
    "a lesser depth",
    { ...CONFIG, layers: [1, 1, 1, 1] },
    /tensors have no place in the network, first body\.layer3\.1\./,
  ],
  [
    "another width",
    { ...CONFIG, width_factor: 0.5 },
    /body\.conv1\.conv\.weight has the shape \[16, 48, 3, 3\], \[32, 48, 3, 3\] expected/,
  ],
  [
    "another head",
    { ...CONFIG, num_classes: 11 },
    /head\.fc\.weight has the shape \[10, 512\], \[11, 512\] expected/,
  ],
])(
  "a config with %s ends in one clear line, exit code 2 and nothing written",
  async (_fault, config, message) => {
    const { code, out, err } = await build(config, "never/model");
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
    expect([code, out, existsSync(join(root, "never"))]).toEqual([2, "", false]);
  },
);

test("layers, width, classes and head are recognized when the config does not say them", async () => {
  const { code, out } = await build({ input_size: [3, 64, 64] }, "recognized");
  expect(code).toBe(0);
  expect(out).toMatch(/labels +none known: classes are numbered/);
  expect(out).toMatch(/layers +1, 1, 2, 1\nwidth factor +0\.25\nversion +V1\nhead +linear\n/);
  expect((await tresline("inspect", join(root, "recognized"))).out).toBe(out.split("\n").slice(1).join("\n"));
});

test("class names that the checkpoint stores become the labels", async () => {
  const checkpoint = fixture("golden/tiny_s.asl_style.pth");
  expect((await tresline("build", "--checkpoint", checkpoint, "--out", join(root, "asl"))).err).toBe("");
  const { manifest, labels } = openModelDir(join(root, "asl"));
  expect([manifest.labels_from, ...labels.slice(0, 2)]).toEqual(["checkpoint", "class 0", "class 1"]);
});

test("wrong arguments end in one clear line and exit code 2", async () => {
  for (const args of [
    ["build"],
    ["paint"],
    ["toString"],
    ["build", "--nonsense"],
    ["build", "--out"],
    ["build", "--checkpoint", CHECKPOINT, "--out", join(root, "no"), "--precision", "fp8"],
    ["build", "--checkpoint", CHECKPOINT, "--out", join(root, "no"), "--top-k", "0"],
    ["build", "--checkpoint", CHECKPOINT, "--out", join(root, "no"), "--top-k", "11"],
    ["inspect"],
    ["inspect", join(root, "no")],
  ]) {
    const { code, err } = await tresline(...args);
    expect([args, code, err.trimEnd().split("\n").length]).toEqual([args, 2, 1]);
  }
  expect(existsSync(join(root, "no"))).toBe(false);
});

test("every help text fits 80 columns", async () => {
  for (const args of [
    ["--help"],
    ...["list", "pull", "build", "inspect", "publish", "classify", "evaluate"].map((name) => [
      name,
      "--help",
    ]),
    ["list"],
  ]) {
    const { code, out } = await tresline(...args);
    expect([code, Math.max(...out.split("\n").map((line) => line.trimEnd().length))]).toEqual([
      0,
      expect.toSatisfy((n) => n > 20 && n <= 80),
    ]);
  }
});

test("the program itself writes the error to stderr and exits with 2", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["worker/model/cli.ts", "inspect", root], {
    encoding: "utf8",
  });
  expect([status, stdout, stderr]).toEqual([
    2,
    "",
    `tresline-model: ${root}: not a model directory: it has no model.json.\n`,
  ]);
});

/** A copy of the model directory `sound` with one file changed, to be opened. */
function damaged(name: string, file: string, change: (content: Buffer) => Buffer | string): () => unknown {
  const dir = join(root, name);
  cpSync(join(root, "sound"), dir, { recursive: true });
  writeFileSync(join(dir, file), change(readFileSync(join(dir, file))));
  return () => openModelDir(dir);
}

test("a model directory that was changed, cut short or is of another format does not open", async () => {
  await build(CONFIG, "sound");
  expect(damaged("cut", "model.onnx", (bytes) => bytes.subarray(0, -1))).toThrow(/the digest is sha256:/);
  expect(damaged("relabelled", "labels.json", (text) => `${text.toString()} `)).toThrow(
    /a file was changed or damaged/,
  );
  expect(damaged("renamed", "model.json", (text) => text.toString().replace('"sound"', '"other"'))).toThrow(
    /digest/,
  );
  expect(
    damaged("later", "model.json", (text) => text.toString().replace('"format": 1', '"format": 2')),
  ).toThrow(/format 2/);
  expect(damaged("extra", "model.json", (text) => text.toString().replace("{", '{"x": 1,'))).toThrow(/"x"/);
  expect(() => openModelDir(join(root, "nothing"))).toThrow(/it has no model\.json/);
});
