import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_INLINE_ITEMS } from "../../shared/contracts/batch.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { toDataUrl } from "./support/figures.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { tracesOf } from "./support/traces-of.ts";

const CLASSIFICATIONS = "/v1/classifications";
const BATCHES = "/v1/batches";
const image = { url: "https://example.com/cat.jpg" };
const item = (custom_id: string) => ({ custom_id, image });

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const problemOf = async (response: Response) => (await response.json()) as Problem;

interface Refused {
  of: string;
  path?: string;
  body: unknown;
  code?: string;
  status?: number;
  pointers?: string[];
  detail: RegExp;
}

const REFUSED_JSON: Refused[] = [
  {
    of: "an option that does not exist",
    body: { image, topk: 3 },
    pointers: ["/topk"],
    detail: /^\/topk: there is no such option \(see \/docs\)\.$/,
  },
  {
    of: "two such options",
    body: { image, topk: 3, modle: "x" },
    pointers: ["/topk", "/modle"],
    detail: /topk.*modle/,
  },
  {
    of: "no image",
    body: { top_k: 3 },
    pointers: ["/image"],
    detail: /\{"url": "https:\/\/…"\}, \{"data": .*\}, \{"s3": .*\} or \{"upload_id"/,
  },
  { of: "an empty object", body: {}, pointers: ["/image"], detail: /\/image: must be/ },
  { of: "null", body: null, pointers: [""], detail: /body: .*expected object, received null/ },
  { of: "a list", body: [image], pointers: [""], detail: /body: .*expected object, received array/ },
  {
    of: "an image that is a text",
    body: { image: "https://example.com/cat.jpg" },
    pointers: ["/image"],
    detail: /\{"url"/,
  },
  {
    of: "an image of two sources",
    body: { image: { ...image, data: toDataUrl(Buffer.from("x")) } },
    pointers: ["/image"],
    detail: /must be \{"url"/,
  },
  {
    of: "an image with a field of no meaning",
    body: { image: { ...image, alt: "" } },
    pointers: ["/image/alt"],
    detail: /\/image\/alt/,
  },
  {
    of: "a URL of another scheme",
    body: { image: { url: "ftp://example.com/a.jpg" } },
    pointers: ["/image/url"],
    detail: /must be an http or https URL/,
  },
  {
    of: "a relative URL",
    body: { image: { url: "cat.jpg" } },
    pointers: ["/image/url"],
    detail: /must be an http or https URL/,
  },
  {
    of: "a URL that is too long",
    body: { image: { url: `https://example.com/${"a".repeat(4096)}` } },
    pointers: ["/image/url"],
    detail: /at most 4096 characters/,
  },
  {
    of: "a data URL of no image",
    body: { image: { data: "data:text/plain;base64,aGk=" } },
    pointers: ["/image/data"],
    detail: /must begin with data:image/,
  },
  {
    of: "a data URL without base 64",
    body: { image: { data: "data:image/svg+xml,<svg/>" } },
    pointers: ["/image/data"],
    detail: /must begin with data:image\/…;base64,/,
  },
  {
    of: "an object without its key",
    body: { image: { s3: { bucket: "photos" } } },
    pointers: ["/image"],
    detail: /\{"s3": \{"bucket": "…", "key": "…"\}\}/,
  },
  {
    of: "a bucket that is a path",
    body: { image: { s3: { bucket: "../photos", key: "a" } } },
    pointers: ["/image/s3/bucket"],
    detail: /must be the name of a bucket/,
  },
  {
    of: "a key that is longer than S3 allows",
    body: { image: { s3: { bucket: "photos", key: "é".repeat(513) } } },
    pointers: ["/image/s3/key"],
    detail: /at most 1024 bytes/,
  },
  { of: "a top_k of zero", body: { image, top_k: 0 }, pointers: ["/top_k"], detail: />=1/ },
  {
    of: "a top_k that is a text",
    body: { image, top_k: "3" },
    pointers: ["/top_k"],
    detail: /expected number, received string/,
  },
  {
    of: "a top_k with a fraction",
    body: { image, top_k: 1.5 },
    pointers: ["/top_k"],
    detail: /expected int/,
  },
  { of: "a threshold above 1", body: { image, threshold: 1.1 }, pointers: ["/threshold"], detail: /<=1/ },
  {
    of: "a priority of no such name",
    body: { image, priority: "high" },
    pointers: ["/priority"],
    detail: /"interactive"\|"bulk"/,
  },
  {
    of: "a webhook that is no URL",
    body: { image, webhook: "me" },
    pointers: ["/webhook"],
    detail: /must be an http or https URL/,
  },
  {
    of: "an event of a batch",
    body: { image, webhook_events_filter: ["batch.completed"] },
    pointers: ["/webhook_events_filter/0"],
    detail: /classification\.succeeded/,
  },
  {
    of: "metadata that is no text",
    body: { image, metadata: { album: 5 } },
    pointers: ["/metadata/album"],
    detail: /expected string, received number/,
  },
  {
    of: "a metadata key with a slash that is too long",
    body: { image, metadata: { [`a/${"b".repeat(63)}`]: "" } },
    pointers: [`/metadata/a~1${"b".repeat(63)}`],
    detail: /<=64 characters/,
  },
  {
    of: "17 metadata keys",
    body: { image, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ""])) },
    pointers: ["/metadata"],
    detail: /at most 16 keys/,
  },
  {
    of: "a model's name that is none",
    body: { image, model: "../x" },
    pointers: ["/model"],
    detail: /must be the name of a model, such as figures/,
  },
  { of: "malformed JSON", body: '{"image": ', detail: /JSON/ },
  { of: "an empty body", body: "", detail: /JSON/ },
  {
    of: "a batch without items",
    path: BATCHES,
    body: {},
    pointers: [""],
    detail: /^body: must have exactly one of items, manifest, prefix and inventory/,
  },
  {
    of: "a batch of two sources",
    path: BATCHES,
    body: { items: [item("a")], prefix: { bucket: "photos", prefix: "" } },
    pointers: [""],
    detail: /exactly one of items, manifest, prefix and inventory/,
  },
  {
    of: "a manifest that is no object",
    path: BATCHES,
    body: { manifest: "s3://photos/list.csv" },
    pointers: ["/manifest"],
    detail: /expected object/,
  },
  {
    of: "a manifest without a key",
    path: BATCHES,
    body: { manifest: { s3: { bucket: "photos" } } },
    pointers: ["/manifest/s3/key"],
    detail: /is missing: expected string/,
  },
  {
    of: "suffixes that are a text",
    path: BATCHES,
    body: { prefix: { bucket: "photos", prefix: "", suffixes: ".jpg" } },
    pointers: ["/prefix/suffixes"],
    detail: /expected array/,
  },
  {
    of: "a prefix with an option of no such name",
    path: BATCHES,
    body: { prefix: { bucket: "photos", prefix: "", recursive: true } },
    pointers: ["/prefix/recursive"],
    detail: /there is no such option/,
  },
  {
    of: "a batch of no items",
    path: BATCHES,
    body: { items: [] },
    pointers: ["/items"],
    detail: />=1 items/,
  },
  {
    of: "a batch's item without an id",
    path: BATCHES,
    body: { items: [item("a"), { image }] },
    pointers: ["/items/1/custom_id"],
    detail: /is missing: expected string/,
  },
  {
    of: "a batch's item with an empty id",
    path: BATCHES,
    body: { items: [item("")] },
    pointers: ["/items/0/custom_id"],
    detail: />=1 characters/,
  },
  {
    of: "a batch's item without an image",
    path: BATCHES,
    body: { items: [{ custom_id: "a" }] },
    pointers: ["/items/0/image"],
    detail: /must be \{"url"/,
  },
  {
    of: "a batch that names two items alike",
    path: BATCHES,
    body: { items: [item("a"), item("b"), item("a")] },
    pointers: ["/items/2/custom_id"],
    detail: /"a" is already the custom_id of item 0/,
  },
  {
    of: "a batch with a priority",
    path: BATCHES,
    body: { items: [item("a")], priority: "bulk" },
    pointers: ["/priority"],
    detail: /priority/,
  },
  { of: "malformed JSON for a batch", path: BATCHES, body: "[", detail: /JSON/ },
];

test.each(REFUSED_JSON)(
  "$of is refused, with its place",
  async ({ path = CLASSIFICATIONS, body, pointers, detail }) => {
    const response = await api.post(path, body);
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(problem.detail).toMatch(detail);
  },
);

test.each(["*", "YQ=", "YQ==YQ==", "YWJj=", "YW Jj", "YWJ_", "Y", `${"=".repeat(300_000)}x`])(
  "what is not base 64 is refused quickly: %.20s",
  async (text) => {
    const bad = { data: `data:image/png;base64,${text}` };
    const single = await problemOf(await api.post(CLASSIFICATIONS, { image: bad }));
    expect(single).toMatchObject({ code: "invalid_request", errors: [{ pointer: "/image/data" }] });
    expect(single.detail).toMatch(/not valid base 64/);
    const batch = await api.post(BATCHES, { items: [item("a"), { custom_id: "b", image: bad }] });
    expect(await problemOf(batch)).toMatchObject({
      code: "invalid_request",
      errors: [{ pointer: "/items/1/image/data" }],
    });
  },
);

test("a bucket that may not be read is refused with the variable that allows it, and where it is named", async () => {
  for (const [pointer, body] of [
    ["/manifest/s3/bucket", { manifest: { s3: { bucket: "private", key: "list.csv" } } }],
    ["/prefix/bucket", { prefix: { bucket: "private", prefix: "" } }],
  ] as const) {
    const problem = await problemOf(await api.post(BATCHES, body));
    expect(problem).toMatchObject({ status: 422, code: "fetch_forbidden", errors: [{ pointer }] });
    expect(problem.detail).toContain("not among S3_SOURCE_BUCKETS");
  }
});

test("10 001 items are refused with the number that is allowed", async () => {
  const items = Array.from({ length: MAX_INLINE_ITEMS + 1 }, (_, index) => item(String(index)));
  const problem = await problemOf(await api.post(BATCHES, { items }));
  expect(problem).toMatchObject({ status: 400, errors: [{ pointer: "/items" }] });
  expect(problem.detail).toMatch(/10000/);
});

test("of very many faults the first are told and the rest counted", async () => {
  const items = Array.from({ length: 5_000 }, () => item("same"));
  const response = await api.post(BATCHES, { items });
  const problem = await problemOf(response.clone());
  expect(problem.errors).toHaveLength(20);
  expect(problem.errors?.[0]?.pointer).toBe("/items/1/custom_id");
  expect(problem.detail).toMatch(/; and 4979 more\.$/);
  expect((await response.text()).length).toBeLessThan(10_000);
});

test("what is refused leaves nothing behind, no error in the log, and no key there", async () => {
  expect(await tracesOf(api)).toEqual([]);
});
