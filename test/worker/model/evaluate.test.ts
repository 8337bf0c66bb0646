import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoSource, ensureDemoModel } from "../../../worker/model/demo.ts";
import { readAnnotations } from "../../../worker/model/evaluate/annotations.ts";
import { wordNetIds } from "../../../worker/model/evaluate/class-ids.ts";
import { confusionSvg } from "../../../worker/model/evaluate/confusion-svg.ts";
import { readImageFolder } from "../../../worker/model/evaluate/image-folder.ts";
import { averagePrecision, multiLabelReport } from "../../../worker/model/evaluate/multi-label.ts";
import { SingleLabelTally } from "../../../worker/model/evaluate/single-label.ts";
import { fixture } from "./read-tensors.ts";
import { tresline } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "tresline-evaluate-"));
afterAll(() => rmSync(root, { recursive: true }));

const SAMPLES = join(demoSource("figures"), "samples");
const classOf = (file: string) => file.replace(/_\d+\.\w+$/, "");
let figures = "";

beforeAll(() => {
  figures = ensureDemoModel("figures", root);
  for (const file of readdirSync(SAMPLES))
    cpSync(join(SAMPLES, file), join(root, "samples", classOf(file), file));
});

interface Expected {
  images: { file: string; class: string; predicted: string }[];
}

test("evaluate measures the demo model as its card does, and writes the report and the picture", async () => {
  const [json, svg] = [join(root, "report.json"), join(root, "confusion.svg")];
  const { code, out, err } = await tresline(
    "evaluate",
    figures,
    join(root, "samples"),
    "--json",
    json,
    "--confusion",
    svg,
  );
  expect([code, err]).toEqual([0, ""]);
  const report = JSON.parse(readFileSync(json, "utf8"));
  const expected: Expected = JSON.parse(readFileSync(fixture("figures/samples_expected.json"), "utf8"));
  const right = expected.images.filter((image) => image.class === image.predicted).length;
  // The card's pictures were scaled by another program; a picture on the edge of two classes may differ.
  expect(Math.abs(report.top1 * 132 - right)).toBeLessThanOrEqual(1);
  expect(report).toMatchObject({ images: 132, failed: [] });
  expect(report.top5).toBeGreaterThan(report.top1);
  expect(report.per_class).toHaveLength(11);
  expect(out).toMatch(/^ 9\d\.\d\d %  top-1 of 132 images$/m);
  expect(readFileSync(svg, "utf8")).toMatch(/^<svg [^]*bar_chart[^]*<\/svg>\n$/);
});

test("classify labels files, and says of each it cannot label why", async () => {
  const text = join(root, "text.png");
  writeFileSync(text, "no picture");
  const { code, out } = await tresline(
    "classify",
    figures,
    join(SAMPLES, "pie_chart_02.png"),
    text,
    "--json",
    "--top-k",
    "2",
  );
  const [pie, broken] = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(code).toBe(1);
  expect(pie.predictions).toMatchObject([{ label: "pie_chart", index: 2 }, {}]);
  expect(pie.predictions[0].score).toBeGreaterThan(0.9);
  expect(broken).toEqual({ file: text, error: "The file is not an image of a known format." });
});

test("more files than a batch come out in their order", async () => {
  const files = readdirSync(SAMPLES)
    .slice(0, 37)
    .map((file) => join(SAMPLES, file));
  const { out } = await tresline("classify", figures, ...files, "--json");
  const results: { file: string; predictions: { label: string }[] }[] = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(results.map(({ file }) => file)).toEqual(files);
  const expected: Expected = JSON.parse(readFileSync(fixture("figures/samples_expected.json"), "utf8"));
  const predicted = new Map(expected.images.map((image) => [image.file, image.predicted]));
  const same = results.filter(
    ({ file, predictions }) => predicted.get(file.slice(SAMPLES.length + 1)) === predictions[0]?.label,
  );
  expect(same.length).toBeGreaterThanOrEqual(36);
});

test("a folder of labelled images may be annotated by COCO's JSON or by CSV, for the mean average precision", async () => {
  const csv = join(root, "labels.csv");
  writeFileSync(
    csv,
    'pie_chart/pie_chart_02.png,pie_chart\n"table/table_00.png", table ; heatmap\nphoto.png,\n',
  );
  const labels = ["pie_chart", "table", "heatmap"];
  const expected = [
    { path: join(root, "pie_chart/pie_chart_02.png"), labels: new Set([0]) },
    { path: join(root, "table/table_00.png"), labels: new Set([1, 2]) },
    { path: join(root, "photo.png"), labels: new Set() },
  ];
  expect(readAnnotations(csv, root, labels)).toEqual(expected);

  const coco = join(root, "instances.json");
  const categories = labels.map((name, i) => ({ id: i + 10, name }));
  const images = expected.map(({ path }, id) => ({ id, file_name: path.slice(root.length + 1) }));
  const annotations = [
    [0, 10],
    [1, 11],
    [1, 12],
    [1, 11],
  ].map(([image_id, category_id]) => ({ image_id, category_id }));
  writeFileSync(coco, JSON.stringify({ info: {}, images, annotations, categories }));
  expect(readAnnotations(coco, root, labels)).toEqual(expected);

  writeFileSync(
    csv,
    readdirSync(SAMPLES)
      .filter((file) => /_0[02]\./.test(file))
      .map((file) => `${file},${classOf(file)}`)
      .join("\n"),
  );
  const { code, out } = await tresline("evaluate", figures, SAMPLES, "--annotations", csv);
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/^100\.00 %  mean average precision of 22 images$/m),
  ]);
});

test.each([
  [
    "a class the model does not have",
    "a.png,cat\n",
    /a\.png is labelled "cat", which is no class of the model/,
  ],
  ["a line without labels", "a.png\n", /line 1 is not "file,label;label;…"/],
  ["nothing", "\n", /it names no image/],
])("annotations with %s are refused", (_fault, text, message) => {
  const path = join(root, "bad.csv");
  writeFileSync(path, text);
  expect(() => readAnnotations(path, root, ["dog"])).toThrow(message);
});

test("a class's folder is named by label, first synonym, WordNet id or number; another name is refused", () => {
  const labels = ["tench, Tinca tinca", "goldfish", "shark", "ray"];
  const ids = ["n01", "n02", "n03", "n04"];
  for (const folder of ["tench", "goldfish", "n03", "3"]) {
    mkdirSync(join(root, "named", folder), { recursive: true });
    writeFileSync(join(root, "named", folder, "a.JPG"), "");
    writeFileSync(join(root, "named", folder, "notes.txt"), "");
  }
  const found = readImageFolder(join(root, "named"), labels, ids);
  expect(found.map(({ path, label }) => [path.slice(root.length), label])).toEqual([
    ["/named/3/a.JPG", 3],
    ["/named/goldfish/a.JPG", 1],
    ["/named/n03/a.JPG", 2],
    ["/named/tench/a.JPG", 0],
  ]);
  mkdirSync(join(root, "named/unknown"));
  expect(() => readImageFolder(join(root, "named"), labels, ids)).toThrow(
    /named\/unknown: the model has no class of this name/,
  );
  expect(() => readImageFolder(join(root, "named/tench"), labels, ids)).toThrow(
    /there is no image in a subfolder/,
  );
});

test("the WordNet ids of a list that comes with Tresline are known by its labels", () => {
  const names = readFileSync("worker/model/labels/imagenet-1k.tsv", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t")[2] ?? "");
  expect(wordNetIds(names).slice(0, 2)).toEqual(["n01440764", "n01443537"]);
  expect(wordNetIds(names.slice(1))).toEqual([]);
});

test("top-1, top-5, accuracies and confusion are counted as they are defined", () => {
  const tally = new SingleLabelTally(["a", "b", "c", "d", "e", "f", "g"]);
  tally.add(0, Float32Array.of(0.9, 0.1, 0, 0, 0, 0, 0));
  tally.add(0, Float32Array.of(0.1, 0.9, 0, 0, 0, 0, 0));
  tally.add(6, Float32Array.of(0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0));
  tally.add(4, Float32Array.of(0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0));
  expect(tally.report()).toEqual({
    images: 4,
    top1: 0.25,
    top5: 0.75,
    per_class: [
      { label: "a", images: 2, top1: 0.5 },
      { label: "b", images: 0, top1: 0 },
      { label: "e", images: 1, top1: 0 },
      { label: "g", images: 1, top1: 0 },
    ],
    confusion: [
      [1, 1, 0, 0],
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [1, 0, 0, 0],
    ],
  });
});

test("average precision is the mean precision at the images that show the class", () => {
  const ranking = [true, false, true, true, false].map((isShown, i) => ({ score: 1 - i / 10, isShown }));
  expect(averagePrecision(ranking)).toBeCloseTo((1 + 2 / 3 + 3 / 4) / 3, 12);
  expect(averagePrecision([{ score: 1, isShown: false }])).toBe(0);
  const answers = [
    { scores: Float32Array.of(0.9, 0.1), labels: new Set([0]) },
    { scores: Float32Array.of(0.8, 0.2), labels: new Set<number>() },
  ];
  expect(multiLabelReport(answers, ["cat", "dog"])).toEqual({
    images: 2,
    mean_average_precision: 1,
    per_class: [{ label: "cat", images: 1, average_precision: 1 }],
  });
});

test("the confusion picture escapes labels and draws every pair that occurs", () => {
  const svg = confusionSvg(
    ["<a> & b", "c"],
    [
      [3, 1],
      [0, 2],
    ],
  );
  expect(svg).toContain("&lt;a&gt; &amp; b");
  expect(svg).not.toContain("<a>");
  expect(svg.match(/<rect x="[\d.]+" y="[\d.]+" width="28"/g)).toHaveLength(3);
  expect(
    confusionSvg(
      Array(1000).fill("x"),
      Array.from({ length: 1000 }, () => Array(1000).fill(0)),
    ).length,
  ).toBeLessThan(1000);
});
