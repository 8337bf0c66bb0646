import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import { MAX_INLINE_ITEMS } from "../../shared/contracts/batch.ts";
import { queueNames } from "../../shared/queue.ts";
import { announceModel } from "../../shared/state/models.ts";
import { toDataUrl } from "./support/figures.ts";
import { API_KEY, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const MAX_BODY_BYTES = 2_000_000;
const CLASSIFICATIONS = "/v1/classifications";
const BATCHES = "/v1/batches";
const JSON_TYPE = { "content-type": "application/json" };
const image = { url: "https://example.com/cat.jpg" };
const item = (custom_id: string) => ({ custom_id, image });

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
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

const QUERY_FAULTS: [query: string, parameters: string[], detail: RegExp][] = [
  ["topk=3", ["topk"], /topk/],
  ["topk=3&colour=red", ["topk", "colour"], /colour/],
  ["top_k=many", ["top_k"], /top_k: must be a number/],
  ["top_k=", ["top_k"], /top_k: must be a number/],
  ["top_k=0x10", ["top_k"], /top_k: must be a number/],
  ["threshold=", ["threshold"], /threshold: must be a number/],
  ["threshold=7", ["threshold"], /<=1/],
  ["top_k=1&top_k=2", ["top_k"], /top_k/],
  ["webhook=me", ["webhook"], /http or https URL/],
];

test.each(QUERY_FAULTS)(
  "the query ?%s beside an image is refused by its parameter",
  async (query, parameters, detail) => {
    const response = await api.request(`${CLASSIFICATIONS}?${query}`, {
      method: "POST",
      headers: { "content-type": "image/png" },
      body: "x",
    });
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
    expect(problem.errors?.map(({ parameter }) => parameter)).toEqual(parameters);
    expect(problem.detail).toMatch(detail);
  },
);

test("options in the query are refused beside a JSON body, where they would have no effect", async () => {
  const problem = await problemOf(await api.post(`${CLASSIFICATIONS}?top_k=1`, { image }));
  expect(problem).toMatchObject({ status: 400, code: "invalid_request", errors: [{ parameter: "top_k" }] });
  expect(problem.detail).toMatch(/top_k: .*in the body/);
});

test("options in the query are refused beside a form", async () => {
  const body = new FormData();
  body.set("image", new File(["x"], "x.png", { type: "image/png" }));
  const response = await api.request(`${CLASSIFICATIONS}?model=figures`, { method: "POST", body });
  expect(await problemOf(response)).toMatchObject({ status: 400, errors: [{ parameter: "model" }] });
});

test("a form's faults are told by their field", async () => {
  const body = new FormData();
  body.set("image", "not a file");
  body.set("top_k", "many");
  body.set("colour", "red");
  const problem = await problemOf(await api.request(CLASSIFICATIONS, { method: "POST", body }));
  expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(["/top_k", "/image", "/colour"]);
  expect(problem.detail).toMatch(/\/image: must be a file/);
});

test("a form that is none is refused", async () => {
  const headers = { "content-type": "multipart/form-data" };
  const response = await api.request(CLASSIFICATIONS, { method: "POST", headers, body: "hello" });
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
  expect(problem.detail).toMatch(/form.*boundary/);
});

test.each(["", "with a file of no bytes"])(
  "an image of no bytes is refused at once: as a body %s",
  async (inForm) => {
    const form = new FormData();
    form.set("image", new File([], "x.png", { type: "image/png" }));
    const body = inForm ? { body: form } : { headers: { "content-type": "image/png" } };
    const problem = await problemOf(await api.request(CLASSIFICATIONS, { method: "POST", ...body }));
    expect(problem).toMatchObject({ status: 422, code: "invalid_image" });
    expect(problem.detail).toMatch(/no bytes/);
  },
);

test.each(["text/plain", "application/octet-stream", "text/json", "nonsense"])(
  "a body of type %s is refused, with the types that are taken",
  async (type) => {
    const response = await api.request(CLASSIFICATIONS, {
      method: "POST",
      headers: { "content-type": type },
      body: "{}",
    });
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 415, code: "unsupported_media_type" });
    expect(problem.detail).toMatch(/application\/json.*image\/.*multipart\/form-data/);
  },
);

test("a form without files, as browsers send it, is refused since it has no file", async () => {
  const body = new URLSearchParams({ image: "x" });
  const problem = await problemOf(await api.request(CLASSIFICATIONS, { method: "POST", body }));
  expect(problem).toMatchObject({ status: 400, errors: [{ pointer: "/image", detail: "must be a file" }] });
});

test("a batch that is no JSON is refused", async () => {
  const response = await api.request(BATCHES, {
    method: "POST",
    headers: { "content-type": "image/png" },
    body: "x",
  });
  expect(await problemOf(response)).toMatchObject({ status: 415, code: "unsupported_media_type" });
});

test.each([
  [CLASSIFICATIONS, /has no body: send an image/],
  [BATCHES, /^body: must have exactly one of items/],
])("no body at all is refused by POST %s", async (path, detail) => {
  const problem = await problemOf(await api.request(path, { method: "POST" }));
  expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
  expect(problem.detail).toMatch(detail);
});

test("a body without a content type is refused", async () => {
  const response = await api.request(CLASSIFICATIONS, { method: "POST", body: new Uint8Array([1, 2]) });
  expect(await problemOf(response)).toMatchObject({ status: 415, code: "unsupported_media_type" });
});

test("a body that says it is too large is refused unread", async () => {
  let wasRead = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        wasRead = true;
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const headers = { "content-type": "image/png", "content-length": String(MAX_BODY_BYTES + 1) };
  const response = await api.request(CLASSIFICATIONS, {
    method: "POST",
    headers,
    body,
    duplex: "half",
  });
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ status: 413, code: "image_too_large" });
  expect(problem.detail).toMatch(/2000000 bytes.*URL/);
  expect(wasRead).toBe(false);
});

test("a body that turns out too large on its way is refused and not read to its end", async () => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 100_000;
      controller.enqueue(new Uint8Array(100_000));
    },
  });
  const headers = { "content-type": "image/png", "transfer-encoding": "chunked" };
  const response = await api.request(CLASSIFICATIONS, {
    method: "POST",
    headers,
    body,
    duplex: "half",
  });
  expect(await problemOf(response)).toMatchObject({ status: 413, code: "image_too_large" });
  expect(sent).toBeLessThan(MAX_BODY_BYTES + 1_000_000);
});

test("JSON that is too large is told to be too large, not malformed", async () => {
  const response = await api.post(CLASSIFICATIONS, {
    image: { data: toDataUrl(Buffer.alloc(MAX_BODY_BYTES)) },
  });
  expect(await problemOf(response)).toMatchObject({ status: 413, code: "image_too_large" });
});

test("an unknown model is refused with the names of those that are served", async () => {
  const served = { num_classes: 10, device: "cpu", digest: "sha256:0", served_at: new Date().toISOString() };
  await announceModel(api.redis.redis, { name: "cifar10", ...served });
  for (const [path, body] of [
    [CLASSIFICATIONS, { image }],
    [BATCHES, { items: [item("a")] }],
  ] as const) {
    const problem = await problemOf(await api.post(path, { ...body, model: "tresnet_m" }));
    expect(problem).toMatchObject({ status: 404, code: "model_not_found" });
    expect(problem.detail).toMatch(/"tresnet_m".*figures, cifar10/);
  }
});

test.each([
  ["no key", undefined, /Send the header Authorization: Bearer/],
  ["an unknown key", "Bearer not-the-key", /API key is not known/],
  ["a key that goes on", `Bearer ${API_KEY}x`, /API key is not known/],
  ["a beginning of the key", `Bearer ${API_KEY.slice(0, -1)}`, /API key is not known/],
  ["an empty key", "Bearer ", /Authorization: Bearer/],
  ["another scheme", `Basic ${API_KEY}`, /Authorization: Bearer/],
  ["no scheme", API_KEY, /Authorization: Bearer/],
])("%s is refused before the body is looked at", async (_of, authorization, detail) => {
  const init = {
    method: "POST",
    headers: { ...JSON_TYPE, ...(authorization && { authorization }) },
    body: "{ malformed",
  };
  const response = await api.app.request(CLASSIFICATIONS, init);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("www-authenticate")).toBe('Bearer realm="tresline"');
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ status: 401, code: "unauthorized" });
  expect(problem.detail).toMatch(detail);
});

test("the scheme of the key may be written in any case", async () => {
  const response = await api.request("/v1/webhook-secret", {
    headers: { authorization: `bearer ${API_KEY}` },
  });
  expect(response.status).toBe(200);
});

test.each([
  ["GET", "/v1/nothing"],
  ["GET", "/nothing"],
  ["DELETE", CLASSIFICATIONS],
  ["PUT", BATCHES],
  ["POST", "/v1/webhook-secret"],
  ["POST", "/healthz"],
  ["GET", "/"],
  ["GET", "/v1/classifications/"],
])("there is no %s %s", async (method, path) => {
  const problem = await problemOf(await api.request(path, { method }));
  expect(problem).toMatchObject({ status: 404, code: "not_found" });
  expect(problem.detail).toBe(`There is no ${method} ${path}; /docs lists what there is.`);
});

test("what is not there is not shown to be not there without a key", async () => {
  expect((await api.app.request("/v1/nothing")).status).toBe(401);
});

test.each([
  "/v1/classifications/cls_01kapz6s8r3v5m2n7q9w4x6y8z",
  "/v1/batches/bat_01kapz6s8r3v5m2n7q9w4x6y8z",
  "/v1/batches/bat_01kapz6s8r3v5m2n7q9w4x6y8z/results",
])("%s is not found when there is no such", async (path) => {
  const problem = await problemOf(await api.request(path));
  expect(problem).toMatchObject({ status: 404, code: "not_found" });
  expect(problem.detail).toMatch(
    /^There is no (batch|classification) (bat|cls)_01kapz6s8r3v5m2n7q9w4x6y8z\.$/,
  );
});

test.each([
  "/v1/classifications/1",
  "/v1/classifications/bat_01kapz6s8r3v5m2n7q9w4x6y8z",
  "/v1/classifications/cls_zzzzzzzzzzzzzzzzzzzzzzzzzz",
  "/v1/classifications/cls_01kapz6s8r3v5m2n7q9w4x6ilo",
  "/v1/classifications/cls_..%2F..%2Fetc%2Fpasswd",
  "/v1/batches/cls_01kapz6s8r3v5m2n7q9w4x6y8z",
  "/v1/batches/bat_01kapz6s8r3v5m2n7q9w4x6y8z000000",
  "/v1/batches/..%2F..%2Fx/results",
])("%s is refused as it cannot be an id", async (path) => {
  const problem = await problemOf(await api.request(path));
  expect(problem).toMatchObject({ status: 400, code: "invalid_request", errors: [{ parameter: "id" }] });
  expect(problem.detail).toMatch(/id: must be an id that begins with (cls|bat)_/);
});

test("a request keeps the id it came with, and a nonsensical one gets another", async () => {
  const headers = { "x-request-id": "mine-1" };
  const problem = await problemOf(await api.request("/v1/nothing", { headers }));
  expect(problem.request_id).toBe("mine-1");
  const other = await api.request("/v1/nothing", { headers: { "x-request-id": "a b<script>" } });
  expect((await problemOf(other)).request_id).toMatch(/^req_[a-z0-9]{26}$/);
});

test("what is refused leaves nothing behind", async () => {
  const { redis } = api.redis;
  const queue = queueNames.classify("figures", "interactive");
  expect(await redis.keys("*classification:*")).toEqual([]);
  expect(await redis.keys("*batch:*")).toEqual([]);
  expect(await redis.exists(`{tresline}:${queue}:wait`)).toBe(0);
  for await (const { key } of api.deps.storage.list("")) expect.unreachable(`${key} was stored`);
});

test("nothing of this reached the log as an error, nor the key at all", () => {
  expect(api.logLines.length).toBeGreaterThan(50);
  expect(api.logLines.filter((line) => line.includes('"level":50'))).toEqual([]);
  expect(api.logLines.filter((line) => line.includes(API_KEY))).toEqual([]);
});
