import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { readFigure, toDataUrl } from "../../support/figures.ts";
import { linesOf, runAndInterrupt, runTresline } from "../run-tresline.ts";

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

const image = { data: toDataUrl(readFigure("table_03.png")) };
const bad = { data: toDataUrl(Buffer.from("no image")) };
const write = (name: string, lines: readonly unknown[]) => {
  const file = join(folder, name);
  writeFileSync(
    file,
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
  );
  return file;
};
const idOf = (out: string) => /bat_\w+/.exec(out)?.[0] ?? "";

test("a batch of a file's lines is made, waited for and written out", async () => {
  const items = [{ custom_id: "a", image }, "", { custom_id: "b", image }];
  const made = await runTresline(["batch", "create", "--items", write("items.jsonl", items), "--wait"], env);
  expect(made.code).toBe(0);
  const id = idOf(made.out);
  expect(made.out).toMatch(/^Status +completed$/m);
  expect(made.out).toMatch(/^Images +2, 2 succeeded$/m);
  expect(made.out).toMatch(/^Took +[\d.]+ m?s$/m);
  expect(made.out).toMatch(new RegExp(`^Next +tresline batch results ${id}$`, "m"));
  const results = await runTresline(["batch", "results", id], env);
  expect(results.code).toBe(0);
  expect(linesOf(results.out).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { custom_id: "a", predictions: [{ label: "table" }, {}, {}, {}, {}] },
    { custom_id: "b", status: "succeeded" },
  ]);
});

test("a failed image makes the exit code 1 wherever the batch is shown", async () => {
  const items = `${JSON.stringify({ custom_id: "a", image })}\n${JSON.stringify({ custom_id: "b", image: bad })}\n`;
  const { code, out } = await runTresline(
    ["batch", "create", "--items", "-", "--wait", "--json"],
    env,
    items,
  );
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ status: "completed", request_counts: { succeeded: 1, failed: 1 } });
  const shown = await runTresline(["batch", "status", idOf(out)], env);
  expect(shown.code).toBe(1);
  expect(shown.out).toMatch(/^Images +2, 1 succeeded, 1 failed$/m);
});

test("a line may be an address alone, which is the item's name", async () => {
  const file = write("addresses.txt", ["http://10.0.0.1/a.png", "http://10.0.0.1/b.png"]);
  const { out } = await runTresline(["batch", "create", "--items", file, "--wait", "--top-k", "1"], env);
  const results = await runTresline(["batch", "results", idOf(out)], env);
  expect(linesOf(results.out).map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { custom_id: "http://10.0.0.1/a.png", error: { code: "fetch_forbidden" } },
    { custom_id: "http://10.0.0.1/b.png" },
  ]);
});

test.each([
  ["no image", ['{"custom_id": "a"}'], "line 1: image must be {"],
  ["no address", [{ custom_id: "a", image }, "", "nonsense"], "line 3: image url must be an http"],
  ["half an object", [{ custom_id: "a", image }, "{"], "line 2: Invalid input"],
  [
    "a name twice",
    [
      { custom_id: "a", image },
      { custom_id: "a", image },
    ],
    'line 2: custom_id "a" is',
  ],
  ["no line", [""], "bad.jsonl lists no image."],
])("what is wrong with a file is told with the number of its line: %s", async (_, items, said) => {
  const { code, err } = await runTresline(["batch", "create", "--items", write("bad.jsonl", items)], env);
  expect(code).toBe(2);
  expect(err).toContain(said);
});

test("what the service refuses is its sentence", async () => {
  const { code, out, err } = await runTresline(["batch", "create", "--prefix", "s3://photos/2026/"], env);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toMatch(/^tresline: .*photos.*\.\n$/);
});

test("Ctrl-C leaves the batch running and tells the command that shows it again", async () => {
  const items = Array.from({ length: 300 }, (_, index) => ({ custom_id: `${index}`, image }));
  const file = write("many.jsonl", items);
  const { code, out, err } = await runAndInterrupt(["batch", "create", "--items", file, "--wait"], env);
  expect({ code, out }).toEqual({ code: 130, out: "" });
  const [, again = ""] = /^tresline: bat_\w+ goes on\. See it again by:\n {2}tresline (.*)$/m.exec(err) ?? [];
  const shown = await runTresline(again.split(" "), env);
  expect(shown.code).toBe(0);
  expect(shown.out).toMatch(/^Images +300, 300 succeeded$/m);
  expect(shown.err).toMatch(/^\d+ of 300 images/m);
});

test("a batch is canceled, and what it left undone is labelled by another", async () => {
  const idle = await serveApi();
  try {
    const there = { TRESLINE_API_KEY: idle.apiKey, TRESLINE_URL: idle.url };
    const file = write("stopped.jsonl", [{ custom_id: "a", image }]);
    const id = idOf((await runTresline(["batch", "create", "--items", file], there)).out);
    const stopped = await runTresline(["batch", "cancel", id], there);
    expect(stopped.code).toBe(0);
    expect(stopped.out).toMatch(/^Status +canceling$/m);
    await idle.startWorker();
    const ended = await runTresline(["batch", "status", id, "--wait"], there);
    expect(ended.code).toBe(1);
    expect(ended.out).toMatch(new RegExp(`^Status +canceled$.*^Next +tresline batch retry ${id}$`, "ms"));
    const again = await runTresline(["batch", "retry", id, "--wait"], there);
    expect(again.code).toBe(0);
    expect(again.out).toMatch(new RegExp(`^Images +1, 1 succeeded$.*^Again +what ${id} left undone$`, "ms"));
  } finally {
    await idle.close();
  }
});

test("a batch that is not there is one line", async () => {
  const id = `bat_0${"1".repeat(25)}`;
  for (const args of [
    ["status", id],
    ["batch", "results", id],
  ]) {
    const { code, out, err } = await runTresline(args, env);
    expect({ code, out, err }).toEqual({ code: 1, out: "", err: `tresline: There is no batch ${id}.\n` });
  }
});
