import { afterAll, beforeAll, expect, test } from "vitest";
import { Classification } from "../../../shared/contracts/classification.ts";
import { PermanentError, toItemError } from "../../../shared/errors.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { makeKey } from "../support/make-key.ts";
import { startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { visit } from "./support/visit.ts";
import type { Visitor } from "./support/visit.ts";

let api: TestApi;
let visitor: Visitor;
beforeAll(async () => {
  api = await startTestApi();
  visitor = await visit(api);
});
afterAll(() => api.close());

/** A classification that waits for a worker. */
async function make(headers = {}, metadata: Record<string, string> = {}): Promise<Classification> {
  const body = { image: { url: "https://example.com/photos/my%20cat.jpg" }, metadata };
  return Classification.parse(await (await api.post("/v1/classifications", body, headers)).json());
}

/** One that has ended, as storage has it. */
async function end(more: Partial<Classification> = {}): Promise<Classification> {
  const queued = await make();
  await api.deps.queues.removeClassification({ id: queued.id, model: "figures", priority: "interactive" });
  const ended: Classification = {
    ...queued,
    status: "succeeded",
    model_digest: "sha256:00ff",
    device: "cpu",
    predictions: [
      { index: 1, label: "tabby cat", score: 0.875 },
      { index: 2, label: "tiger", score: 0.0625 },
    ],
    metrics: {
      queue_ms: 10,
      fetch_ms: 20,
      decode_ms: 30,
      batch_wait_ms: 0,
      inference_ms: 40,
      total_ms: 1_300,
      batch_size: 8,
    },
    completed_at: new Date().toISOString(),
    ...more,
  };
  await api.deps.storage.put(storageKeys.result("default", ended.id), JSON.stringify(ended), {
    contentType: "application/json",
  });
  return ended;
}

const errorOf = (detail: string) => toItemError(new PermanentError("invalid_image", detail));

const HOSTILE = `"><script>alert('x')</script>`;
const pathOf = ({ id }: Classification) => `/console/classifications/${id}`;

/** The rows of a list, by the id of what each shows. */
const rowsOf = (text: string) =>
  new Map([...text.matchAll(/<tr id="(cls_\w+)"[^]*?<\/tr>/g)].map(([row, id = ""]) => [id, row]));

test("the list has the newest first, each with its image, its best label and its state", async () => {
  const older = await end();
  const newer = await make();
  const rows = rowsOf((await visitor.get("/console/classifications")).text);
  expect([...rows.keys()].slice(0, 2)).toEqual([newer.id, older.id]);
  expect(rows.get(older.id)).toMatch(
    /my cat\.jpg[^]*tabby cat <span class="soft">87\.5 %<\/span>[^]*status good">succeeded/,
  );
  expect(rows.get(older.id)).not.toContain("data-moving");
  expect(rows.get(newer.id)).toMatch(/^<tr id="\w+" data-moving>[^]*status busy">queued/);
});

test("the list is filtered by state, and its pages keep the filter", async () => {
  for (let made = 0; made < 27; made++)
    await end({ status: "failed", predictions: null, error: errorOf("It broke.") });
  const first = (await visitor.get("/console/classifications?status=failed")).text;
  expect(rowsOf(first).size).toBe(25);
  expect([...rowsOf(first).values()].every((row) => row.includes("status bad"))).toBe(true);
  expect(first).toContain("<option selected>failed</option>");
  expect(first).not.toContain(">Newest</a>");
  const older = /href="([^"]+)"[^>]*>Older</.exec(first)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const { text } = await visitor.get(older);
  expect(rowsOf(text).size).toBe(2);
  expect(text).toMatch(/href="\/console\/classifications\?status=failed"\s*>Newest</);
  expect(text).not.toContain(">Older</a>");
});

test.each(["status=none", "cursor=none"])("a list with %s is refused in words", async (query) => {
  const { status, text } = await visitor.get(`/console/classifications?${query}`);
  expect([status, text.includes('<p class="lead">/')]).toEqual([400, true]);
});

test("what was labelled shows its labels, where its time went and what labelled it", async () => {
  const ended = await end({ metadata: { album: "2026" } });
  const { text } = await visitor.get(pathOf(ended));
  expect(text).toContain("<h1>my cat.jpg</h1>");
  expect(text).toContain(`<code>${ended.id}</code>`);
  expect(text).toMatch(
    /tabby cat<\/span>\s*<span class="number">87\.5 %<\/span>\s*<meter min="0" max="1" value="0.875" aria-label="tabby cat">/,
  );
  expect(text).toContain("1.3 s");
  for (const [stage, ms] of [
    ["Waiting", 10],
    ["Fetching", 20],
    ["Decoding", 30],
    ["Network", 40],
  ] as const)
    expect(text).toMatch(new RegExp(`${stage} <span class="number">${ms} ms</span>`));
  expect(
    [...text.matchAll(/<rect class="stage-\d" x="([\d.]+)" width="([\d.]+)"/g)].map(([, x, width]) => [
      x,
      width,
    ]),
  ).toEqual([
    ["0", "10"],
    ["10", "20"],
    ["30", "30"],
    ["60", "0"],
    ["60", "40"],
  ]);
  for (const fact of ["https://example.com/photos/my%20cat.jpg", "sha256:00ff", "cpu", "8", "2026"])
    expect(text).toMatch(new RegExp(`<dd>(<code>)?${fact}(</code>)?</dd>`));
  expect(text).not.toContain(">Cancel</button>");
});

test("what failed shows why", async () => {
  const ended = await end({
    status: "failed",
    predictions: null,
    error: errorOf("It is no image at all."),
  });
  expect((await visitor.get(pathOf(ended))).text).toContain('<p class="fault">It is no image at all.</p>');
});

test("labels, errors, metadata and addresses are shown as they are, whatever stands in them", async () => {
  const hostile = await end({
    input: { type: "url", url: `https://example.com/"><script>alert(1)</script>.png` },
    predictions: [{ index: 0, label: HOSTILE, score: 0.5 }],
    error: errorOf(HOSTILE),
    metadata: { [HOSTILE]: HOSTILE, file: HOSTILE },
    model_digest: HOSTILE,
    device: HOSTILE,
  });
  for (const path of [pathOf(hostile), "/console/classifications", `/console?ids=${hostile.id}`]) {
    const { text } = await visitor.get(path);
    expect(text).not.toContain("<script");
    expect(text).toContain("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
  }
});

test("an object of a bucket has a name and a place, and no image to load", async () => {
  const object = await end({ input: { type: "s3", bucket: "photos", key: "2026/cat.jpg" } });
  const { text } = await visitor.get(pathOf(object));
  expect(text).toContain("<h1>cat.jpg</h1>");
  expect(text).toContain("<dd>s3://photos/2026/cat.jpg</dd>");
  expect(text).not.toContain("<img");
});

test("one that waits can be canceled once, by whoever may", async () => {
  const queued = await make();
  const { key } = await makeKey(api, { scopes: ["read"] });
  expect((await (await visit(api, key)).get(pathOf(queued))).text).not.toContain(">Cancel</button>");
  expect((await visitor.get(pathOf(queued))).text).toContain(">Cancel</button>");
  const { status, location } = await visitor.post(`${pathOf(queued)}/cancel`);
  expect([status, location]).toEqual([303, pathOf(queued)]);
  expect((await visitor.get(pathOf(queued))).text).toContain('<span class="status warn">canceled</span>');
  const again = await visitor.post(`${pathOf(await end())}/cancel`);
  expect(again.status).toBe(409);
  expect(again.text).toContain("there is nothing left to cancel.");
});

test("its JSON is what the API says", async () => {
  const ended = await end();
  const { headers, text } = await visitor.get(`${pathOf(ended)}/json`);
  expect(headers.get("content-type")).toBe("application/json");
  expect(JSON.parse(text)).toEqual(ended);
});

test("a list and a page are kept live by streams of their rows and their whole", async () => {
  const ended = await end();
  for (const view of ["rows", "details"]) {
    const { text } = await visitor.get(`/console/classifications/${view}?ids=${ended.id}`);
    const told = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "") as Record<string, string>;
    expect(told[ended.id]).toMatch(new RegExp(`^<(tr|div) id="${ended.id}"[^]*tabby cat[^]*</(tr|div)>$`));
  }
});

test("a stream ends with the key of whoever reads it", async () => {
  const { key, shown, headers } = await makeKey(api);
  const queued = await make(headers);
  const other = await visit(api, key);
  const stream = await api.app.request(`/console/classifications/cards?ids=${queued.id}`, {
    headers: { cookie: other.cookie },
  });
  const reader = stream.body?.getReader();
  expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("data-moving");
  await api.request(`/v1/api-keys/${shown.id}`, { method: "DELETE" });
  expect((await reader?.read())?.done).toBe(true);
});
