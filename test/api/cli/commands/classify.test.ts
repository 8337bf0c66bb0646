import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { linesOf, runAndInterrupt, runTresline } from "../run-tresline.ts";

const SAMPLES = "worker/model/demo/figures/samples";
const BAR = `${SAMPLES}/bar_chart_06.png`;
const TABLE = `${SAMPLES}/table_03.png`;

const folder = mkdtempSync(join(tmpdir(), "tresline-cli-"));
let api: ServedApi;
let env: Record<string, string>;
beforeAll(async () => {
  api = await serveApi();
  await api.startWorker();
  env = { TRESLINE_API_KEY: api.apiKey, TRESLINE_URL: api.url };
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

test("files are labelled in a table of 80 columns, in the order they were given", async () => {
  const long = join(folder, `${"long-name-".repeat(9)}.png`);
  const { readFigure } = await import("../../support/figures.ts");
  writeFileSync(long, readFigure("table_03.png"));
  const { code, out, err } = await runTresline(["classify", BAR, TABLE, long, "--wait"], env);
  const [head, ...rows] = linesOf(out);
  expect({ code, err: linesOf(err).at(0) }).toEqual({ code: 0, err: "0 of 3 images" });
  expect(head).toMatch(/^IMAGE +LABEL +SCORE$/);
  expect(rows).toEqual([
    expect.stringMatching(/bar_chart_06\.png +bar_chart +0\.\d{3}$/),
    expect.stringMatching(/table_03\.png +table +0\.\d{3}$/),
    expect.stringMatching(/long-name-.*… +table +0\.\d{3}$/),
  ]);
  expect(linesOf(out).filter((line) => line.length > 80)).toEqual([]);
});

test("as many labels as were asked for come below each other, and as JSON in one object", async () => {
  const table = await runTresline(["classify", BAR, "--wait", "--top-k", "3"], env);
  expect(linesOf(table.out)).toHaveLength(4);
  const { out } = await runTresline(["classify", BAR, "--wait", "--top-k", "3", "--json"], env);
  expect(JSON.parse(out)).toMatchObject({
    image: BAR,
    status: "succeeded",
    predictions: [{ label: "bar_chart" }, {}, {}],
  });
});

test("the models are listed", async () => {
  const { code, out } = await runTresline(["models"], env);
  expect(code).toBe(0);
  expect(linesOf(out)).toEqual([
    expect.stringMatching(/^MODEL +CLASSES +ON +SERVED$/),
    expect.stringMatching(/^figures \(default\) +12 +cpu +yes$/),
  ]);
});

test("one bad image fails alone, with its reason, and the exit code tells", async () => {
  const bad = join(folder, "bad.png");
  writeFileSync(bad, "no image");
  const images = [bad, "nowhere.png", "http://10.0.0.1/x.png", "s3://private/x.png", TABLE];
  const { code, out, err } = await runTresline(["classify", ...images, "--wait"], env);
  expect(code).toBe(1);
  expect(linesOf(out).slice(1)).toEqual([
    expect.stringMatching(/bad\.png +invalid_image$/),
    expect.stringMatching(/^nowhere\.png +cannot_be_read$/),
    expect.stringMatching(/x\.png +fetch_forbidden$/),
    expect.stringMatching(/^s3:\/\/private\/x\.png +fetch_forbidden$/),
    expect.stringMatching(/table +0\.\d{3}$/),
  ]);
  expect(err).toMatch(/^tresline: nowhere\.png: The file cannot be read: ENOENT/m);
});

test("without waiting the ids are told, which status shows", async () => {
  const { code, out } = await runTresline(["classify", BAR], env);
  const id = /cls_\w+/.exec(out)?.[0] ?? "";
  expect(code).toBe(0);
  const shown = await runTresline(["status", id, "--wait"], env);
  expect(shown.code).toBe(0);
  expect(shown.out).toMatch(new RegExp(`^Classification +${id}$`, "m"));
  expect(shown.out).toMatch(/^Labels +bar_chart 0\.\d{3}$/m);
  const both = await runTresline(["status", id, id, "--json"], env);
  expect(linesOf(both.out).map((line) => (JSON.parse(line) as { id: string }).id)).toEqual([id, id]);
});

test("a classification that failed is shown with its reason and an exit code of 1", async () => {
  const { out } = await runTresline(["classify", "http://10.0.0.1/x.png", "--json"], env);
  const { id } = JSON.parse(out) as { id: string };
  const { code, out: shown } = await runTresline(["status", id, "--wait"], env);
  expect(code).toBe(1);
  expect(shown).toMatch(/^Why +fetch_forbidden: /m);
});

test("Ctrl-C leaves the images with the service and tells how to see them again", async () => {
  const images = Array<string>(200).fill(BAR);
  const { code, out, err } = await runAndInterrupt(["classify", ...images, "--wait"], env);
  expect({ code, out }).toEqual({ code: 130, out: "" });
  expect(err).toMatch(
    /^tresline: (Stopped before|\d+ of 200 images go on\. See the first again by:\n {2}tresline status cls_)/m,
  );
});

test("a key that the service does not know is one line, however many images there are", async () => {
  const { code, out, err } = await runTresline(["classify", BAR, TABLE, "--key", "wrong"], env);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(linesOf(err).slice(1)).toEqual(["tresline: This API key is not known."]);
});
