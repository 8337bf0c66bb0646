import { afterAll, beforeAll, expect, test } from "vitest";
import { makeThings } from "../api/support/tenant-things.ts";
import { API_KEY, startTestApi } from "../api/support/test-api.ts";
import type { TestApi } from "../api/support/test-api.ts";

let api: TestApi;
let things: Awaited<ReturnType<typeof makeThings>>;
beforeAll(async () => {
  api = await startTestApi({ MAX_BODY_BYTES: "1024", S3_SOURCE_BUCKETS: "photos" });
  things = await makeThings(api, "default", "a test's");
});
afterAll(() => api.close());

/** What every answer has, whatever it is. */
const ALWAYS = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=15552000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "SAMEORIGIN",
  "x-permitted-cross-domain-policies": "none",
  "x-request-id": expect.stringMatching(/^req_[a-z0-9]{26}$/),
};

/** Requests as a page of another origin may send them. */
const ORIGIN = { origin: "https://evil.example", "access-control-request-method": "POST" };
const KEY = { authorization: `Bearer ${API_KEY}` };

interface Asked {
  what: string;
  path: string;
  method?: string;
  key?: boolean;
  body?: string;
  status: number;
}
const ANSWERS: Asked[] = [
  { what: "health", path: "/healthz", status: 200 },
  { what: "readiness", path: "/readyz", status: 200 },
  { what: "the reference", path: "/docs", status: 200 },
  { what: "the document", path: "/openapi.json", status: 200 },
  { what: "public keys", path: "/.well-known/webhook-keys.json", status: 200 },
  { what: "a list", path: "/v1/batches", key: true, status: 200 },
  { what: "a secret", path: "/v1/webhook-secret", key: true, status: 200 },
  { what: "results", path: "/v1/batches/ENDED/results", key: true, status: 200 },
  { what: "something deleted", path: "/v1/labelers/LABELER", method: "DELETE", key: true, status: 204 },
  { what: "a body that is no JSON", path: "/v1/batches", method: "POST", key: true, body: "{", status: 400 },
  { what: "no key", path: "/v1/batches", status: 401 },
  { what: "no key for what is not there", path: "/v1/nothing", status: 401 },
  { what: "a question for leave from another origin", path: "/v1/batches", method: "OPTIONS", status: 401 },
  { what: "nothing", path: "/nothing", status: 404 },
  { what: "nothing behind the key", path: "/v1/nothing", key: true, status: 404 },
  { what: "too much", path: "/v1/batches", method: "POST", key: true, body: "x".repeat(2_000), status: 413 },
];

test.each(ANSWERS)(
  "$what: the answer $status has all headers that protect, and lets no other origin read it",
  async (asked) => {
    const { path, method = "GET", key = false, body, status } = asked;
    const response = await api.app.request(
      path.replace("ENDED", things.batches[1] ?? "").replace("LABELER", things.labeler),
      {
        method,
        headers: {
          ...ORIGIN,
          ...(key && KEY),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body }),
      },
    );
    const headers = Object.fromEntries(response.headers);
    expect(response.status).toBe(status);
    expect(headers).toMatchObject(ALWAYS);
    expect(
      Object.keys(headers).filter((name) => /^access-control|^server$|powered|^set-cookie/.test(name)),
    ).toEqual([]);
    expect(headers["cache-control"]).toBe(
      path.startsWith("/v1/")
        ? "no-store"
        : path.startsWith("/.well-known")
          ? "public, max-age=300"
          : undefined,
    );
  },
);

test("a fault of ours has them too, and tells nothing of itself", async () => {
  const { storage } = api.deps;
  const get = storage.get.bind(storage);
  storage.get = () => Promise.reject(new Error("EACCES: permission denied, open '/srv/secret'"));
  const response = await api.request("/v1/classifications/cls_01kapz6s8r3v5m2n7q9w4x6y8z");
  storage.get = get;
  expect(response.status).toBe(500);
  expect(Object.fromEntries(response.headers)).toMatchObject({ ...ALWAYS, "cache-control": "no-store" });
  expect(await response.text()).not.toContain("secret");
  expect(api.logLines.join("")).toContain("/srv/secret");
});
