import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import { toDataUrl } from "./support/figures.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { tracesOf } from "./support/traces-of.ts";

const MAX_BODY_BYTES = 2_000_000;
const CLASSIFICATIONS = "/v1/classifications";
const BATCHES = "/v1/batches";
const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
});
afterAll(() => api.close());

const problemOf = async (response: Response) => (await response.json()) as Problem;

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

test("what is refused leaves nothing behind, no error in the log, and no key there", async () => {
  expect(await tracesOf(api)).toEqual([]);
});
