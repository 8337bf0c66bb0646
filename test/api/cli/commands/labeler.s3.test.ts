import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectTaggingCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTresline } from "../../../../infra/local/tresline.ts";
import type { Tresline } from "../../../../infra/local/tresline.ts";
import { linesOf, runTresline } from "../run-tresline.ts";
import { makeBuckets, s3Environment } from "../../../support/test-s3.ts";

const photos = `photos-cli-${Date.now()}`;
let s3: S3Client;
const dataDir = mkdtempSync(join(tmpdir(), "tresline-cli-"));
let tresline: Tresline;
let env: Record<string, string>;

beforeAll(async () => {
  s3 = await makeBuckets(photos);
  const settings = {
    ...process.env,
    ...s3Environment(),
    S3_SOURCE_BUCKETS: photos,
    PORT: "0",
  };
  tresline = await startTresline({ DATA_DIR: dataDir }, settings, () => {});
  env = { TRESLINE_URL: tresline.url, TRESLINE_API_KEY: tresline.apiKey };
});
afterAll(async () => {
  await tresline?.stop();
  s3?.destroy();
  rmSync(dataDir, { recursive: true, force: true });
});

const put = (key: string, body: string | Buffer) =>
  s3.send(new PutObjectCommand({ Bucket: photos, Key: key, Body: body }));
const sample = (name: string) => readFileSync(join("worker/model/demo/figures/samples", name));
const run = async (...args: string[]) => {
  const ended = await runTresline(args, env);
  expect(linesOf(ended.out).filter((line) => line.length > 80 && !line.startsWith("{"))).toEqual([]);
  return ended;
};
const idOf = (prefix: string, out: string) => new RegExp(`${prefix}_\\w+`).exec(out)?.[0] ?? "";

test("a bucket is labelled from the command line, its tags written, its run shown and its results read", async () => {
  await put("2026/a.png", sample("bar_chart_06.png"));
  await put("2026/b.png", sample("table_03.png"));
  await put("2026/notes.txt", "no image");
  const place = `s3://${photos}/2026/`;
  const made = await run("labeler", "create", place, "--suffix", ".png", "--write-back", "tags");
  expect(made.code).toBe(0);
  expect(made.out).toMatch(/^Writes back +tags$/m);
  const labeler = idOf("lbl", made.out);

  const first = await run("labeler", "run", labeler, "--wait");
  expect(first.code).toBe(0);
  expect(first.out).toMatch(/^Images +2, 2 succeeded$/m);
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket: photos, Key: "2026/a.png" }));
  expect(TagSet.map(({ Value }) => Value)).toContain("bar_chart");

  const id = idOf("run", first.out);
  const results = await run("labeler", "results", id);
  expect(linesOf(results.out).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { status: "succeeded", predictions: [{ label: "bar_chart" }, {}, {}, {}, {}] },
    { status: "succeeded", predictions: [{ label: "table" }, {}, {}, {}, {}] },
  ]);

  await put("2026/c.png", "no image");
  const second = await run("labeler", "run", labeler, "--rate", "50", "--wait");
  expect(second.code).toBe(1);
  expect(second.out).toMatch(/^Images +3, 1 failed, 2 skipped$/m);
  const again = await run("labeler", "run", labeler, "--relabel", "--wait", "--json");
  expect(JSON.parse(again.out)).toMatchObject({ mode: "relabel", status: "completed" });

  const shown = await run("labeler", "status", labeler);
  expect(linesOf(shown.out).filter((line) => /^run_\w+ +completed +3, /.test(line))).toHaveLength(2);
  expect((await run("status", id)).out).toMatch(new RegExp(`^Run +${id}, a backfill$`, "m"));
  expect((await run("labeler", "cancel", id)).err).toMatch(
    /^tresline: The run .* has ended: it is completed\.\n$/,
  );
  expect((await run("labeler", "list")).out).toContain(labeler);
});

test("a paused labeler's run stands still until it is resumed", async () => {
  const labeler = idOf("lbl", (await run("labeler", "create", `s3://${photos}/none/`)).out);
  const paused = await run("labeler", "pause", labeler);
  expect(paused.out).toMatch(/^Status +paused$/m);
  expect(paused.out).toMatch(new RegExp(`^Next +tresline labeler resume ${labeler}$`, "m"));
  const id = idOf("run", (await run("labeler", "run", labeler)).out);
  expect((await run("status", id)).out).toMatch(/^Status +paused$/m);
  expect((await run("labeler", "resume", labeler)).out).toMatch(/^Status +active$/m);
  expect((await run("status", id, "--wait")).out).toMatch(/^Status +completed$/m);
});

test("a run that no labeler has is one line", async () => {
  const id = `run_0${"1".repeat(25)}`;
  expect(await run("status", id)).toEqual({
    code: 1,
    out: "",
    err: `tresline: There is no run ${id}.\n`,
  });
});
