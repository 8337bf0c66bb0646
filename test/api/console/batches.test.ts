import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { readFigure } from "../support/figures.ts";
import { makeKey } from "../support/make-key.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

const CHART = "bar_chart_06.png";

let api: TestApi;
let images: TestServer;
let visitor: Visitor;
let isThere = false;
beforeAll(async () => {
  images = await startTestServer(({ path }) =>
    path === `/${CHART}` || (isThere && path === "/later.png")
      ? { status: 200, body: readFigure(CHART) }
      : { status: 404 },
  );
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos" });
  visitor = await visit(api);
});
afterAll(async () => {
  await api.close();
  await images.stop();
});

/** Sends the form of a new batch and answers where the batch is. */
async function make(fields: Record<string, string>): Promise<string> {
  const { status, location } = await visitor.post("/console/batches", { source: "urls", ...fields });
  expect([status, location]).toEqual([303, expect.stringMatching(/^\/console\/batches\/bat_/)]);
  return location ?? "";
}

const recordOf = async (path: string) =>
  JSON.parse(
    (await api.redis.redis.hget(`{tresline}:batch:${path.split("/").at(-1)}`, "record")) ?? "",
  ) as Record<string, unknown>;

test("a batch that moves shows how far it is, and can be canceled by whoever may", async () => {
  const path = await make({ urls: "https://example.com/a.png\nhttps://example.com/b.png" });
  const id = path.split("/").at(-1) ?? "";
  const { text } = await visitor.get(path);
  expect(text).toMatch(
    new RegExp(
      `<div id="${id}" class="stack" data-moving>[^]*<progress max="1" value="0" aria-label="Progress of ${id}">`,
    ),
  );
  expect(text).toMatch(/<dt>Items<\/dt>\s*<dd>2<\/dd>/);
  expect(text).not.toContain("/results?format");
  const { key } = await makeKey(api, { scopes: ["read"] });
  expect((await (await visit(api, key)).get(path)).text).not.toContain(">Cancel</button>");
  const canceled = await visitor.post(`${path}/cancel`);
  expect([canceled.status, canceled.location]).toEqual([303, path]);
  const after = (await visitor.get(path)).text;
  expect(after).toContain('<span class="status busy">canceling</span>');
  expect(after).not.toContain(">Cancel</button>");
});

test("each source of the form becomes that of the batch", async () => {
  const prefix = await make({
    source: "prefix",
    bucket: "photos",
    prefix: "2026/",
    urls: "ignored",
    model: "",
    top_k: "3",
  });
  expect(await recordOf(prefix)).toMatchObject({
    source: { type: "prefix", bucket: "photos", prefix: "2026/" },
    top_k: 3,
  });
  const manifest = await make({ source: "manifest", manifest: "s3://photos/lists/new ones.csv", csv: "csv" });
  expect(await recordOf(manifest)).toMatchObject({
    source: { type: "manifest", bucket: "photos", key: "lists/new ones.csv" },
    output_formats: ["csv"],
  });
});

test.each([
  ["no address", { source: "urls", urls: " \n" }, "Paste the addresses of images, one a line."],
  [
    "an address that is none",
    { source: "urls", urls: "https://example.com/a.png\nnonsense" },
    "&quot;nonsense&quot; is no http or https address.",
  ],
  ["a bucket that may not be read", { source: "prefix", bucket: "secrets", prefix: "" }, "secrets"],
  [
    "a manifest that is no object",
    { source: "manifest", manifest: "https://example.com/list" },
    "Say where the manifest is: s3://bucket/key.",
  ],
  [
    "no number of labels",
    { source: "urls", urls: "https://example.com/a.png", top_k: "0" },
    "Something is not right yet: see below.",
  ],
  [
    "a model that nobody serves",
    { source: "urls", urls: "https://example.com/a.png", model: "nothing" },
    "There is no model &quot;nothing&quot; here.",
  ],
])("a form with %s is refused in words, and keeps what was filled in", async (_of, fields, words) => {
  const { status, text } = await visitor.post("/console/batches", { ...fields, csv: "csv" });
  expect(status).toBeGreaterThanOrEqual(400);
  expect(text).toMatch(/<p class="notice bad" role="alert">/);
  expect(text).toContain(words);
  expect(text).toMatch(new RegExp(`value="${fields.source}" checked`));
  expect(text).toMatch(/name="csv"\s+value="csv" checked/);
  expect(text).toContain(`>\n${("urls" in fields ? fields.urls : "").trim()}</textarea`);
});

test("without a bucket that may be read, the form has none to choose", async () => {
  const other = await startTestApi();
  const { text } = await (await visit(other)).get("/console/batches/new");
  expect(text).toContain('value="urls" checked');
  expect(text).not.toMatch(/value="(prefix|manifest)"/);
  await other.close();
});

test("a batch that has ended shows what failed and why, gives its results, and what failed is tried again", async () => {
  await api.startWorker();
  const path = await make({
    urls: [CHART, "later.png", "<b>never</b>.png"].map((name) => `${images.url}/${name}`).join("\n"),
    csv: "csv",
  });
  const untilOver = async (at: string) => {
    await expect
      .poll(async () => (await visitor.get(at)).text, { timeout: 30_000 })
      .not.toContain("data-moving");
    return (await visitor.get(at)).text;
  };
  const text = await untilOver(path);
  expect(text).toContain('<span class="status good">completed</span>');
  const rows =
    text
      .split('<h2 id="undone">')[1]
      ?.match(/<tr>[^]*?<\/tr>/g)
      ?.slice(1) ?? [];
  expect(rows).toHaveLength(2);
  expect(rows[0]).toContain(`${images.url}/later.png</span>`);
  expect(rows[0]).toMatch(/<img[^>]*referrerpolicy="no-referrer"/);
  expect(rows.every((row) => row.includes("The server of the image answered 404."))).toBe(true);
  expect(text).not.toContain("<b>never");

  const csv = await visitor.get(`${path}/results?format=csv`);
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(csv.headers.get("content-disposition")).toBe(`attachment; filename="${path.split("/").at(-1)}.csv"`);
  expect(csv.text.trim().split("\n")).toHaveLength(4);
  expect((await visitor.get(`${path}/results`)).text.trim().split("\n")).toHaveLength(3);
  expect((await visitor.get(`${path}/results?format=parquet`)).status).toBe(409);

  isThere = true;
  const retried = await visitor.post(`${path}/retry`);
  expect(retried.status).toBe(303);
  const again = await untilOver(retried.location ?? "");
  expect(again).toContain(`<a href="${path}">`);
  expect(again).toMatch(/<dt>Succeeded<\/dt>\s*<dd>1<\/dd>/);

  const list = (await visitor.get("/console/batches")).text;
  expect(list.indexOf(retried.location ?? "")).toBeLessThan(list.indexOf(path));
  const id = path.split("/").at(-1) ?? "";
  for (const view of ["rows", "details"]) {
    const { text: stream } = await visitor.get(`/console/batches/${view}?ids=${id}`);
    const told = JSON.parse(/^data: (.*)$/m.exec(stream)?.[1] ?? "") as Record<string, string>;
    expect(told[id]).toMatch(new RegExp(`^<(tr|div) id="${id}"[^]*completed[^]*</(tr|div)>$`));
  }
});

test("of many that failed the first are shown, and no more of the file is read than these", async () => {
  const path = await make({
    urls: Array.from({ length: 60 }, (_, i) => `${images.url}/none-${i}.png`).join("\n"),
  });
  await expect
    .poll(async () => (await visitor.get(path)).text, { timeout: 30_000 })
    .not.toContain("data-moving");
  const { text } = await visitor.get(path);
  expect(text.match(/<img /g)).toHaveLength(50);
  expect(text).toContain("These are the first 50. All of them are in the results.");
});
