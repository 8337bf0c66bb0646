import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import { announceModel } from "../../shared/state/models.ts";
import { API_KEY, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { tracesOf } from "./support/traces-of.ts";

const CLASSIFICATIONS = "/v1/classifications";
const BATCHES = "/v1/batches";
const JSON_TYPE = { "content-type": "application/json" };
const image = { url: "https://example.com/cat.jpg" };
const item = (custom_id: string) => ({ custom_id, image });

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const problemOf = async (response: Response) => (await response.json()) as Problem;

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
  ["POST", "/"],
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

test("what is refused leaves nothing behind, no error in the log, and no key there", async () => {
  expect(await tracesOf(api)).toEqual([]);
});
