import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { MOST_TRIES } from "../../../api/console/pages/sign-in.ts";
import { redisKeys } from "../../../shared/keys.ts";
import { sha256Hex } from "../../../shared/sha256-hex.ts";
import { SESSION_TTL } from "../../../shared/state/console-sessions.ts";
import { makeKey } from "../support/make-key.ts";
import { API_KEY, PUBLIC_URL, startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { checkPage, visit } from "./support/visit.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const signIn = (fields: Record<string, string>, headers: Record<string, string> = { origin: PUBLIC_URL }) =>
  api.app.request("/console/sign-in", { method: "POST", headers, body: new URLSearchParams(fields) });

test("whoever has not signed in is asked to, and comes to the page they wanted", async () => {
  const asked = await api.app.request("/console/batches?cursor=x");
  expect([asked.status, asked.headers.get("location")]).toEqual([
    303,
    "/console/sign-in?next=%2Fconsole%2Fbatches%3Fcursor%3Dx",
  ]);
  const form = await api.app.request("/console/sign-in?next=%2Fconsole%2Fbatches%3Fcursor%3Dx");
  const page = await form.text();
  checkPage(form.headers, page);
  expect(page).toContain('name="next" value="/console/batches?cursor=x"');
  const signedIn = await signIn({ key: API_KEY, next: "/console/batches?cursor=x" });
  expect([signedIn.status, signedIn.headers.get("location")]).toEqual([303, "/console/batches?cursor=x"]);
});

test("the address of the service leads to the console", async () => {
  const { status, headers } = await api.app.request("/");
  expect([status, headers.get("location")]).toEqual([302, "/console"]);
});

test.each(["https://evil.example", "//evil.example", "/v1/batches", "/console.evil", "/console/\\evil", ""])(
  "signing in leads to no place outside the console: %j",
  async (next) => {
    expect((await signIn({ key: API_KEY, next })).headers.get("location")).toBe("/console");
  },
);

test("a page of another site that links to the console is followed by a question of the console's own, which has the cookie", async () => {
  const linked = await api.app.request("/console/batches", { headers: { "sec-fetch-site": "cross-site" } });
  expect(linked.status).toBe(200);
  expect(await linked.text()).toBe('<meta http-equiv="refresh" content="0" />');
});

test("the session's secret is for the console alone, out of reach of scripts and of other sites, and Redis has its hash only", async () => {
  const { headers } = await signIn({ key: API_KEY });
  expect(headers.get("set-cookie")).toMatch(
    /^tresline_console=[0-9a-f]{64}; Max-Age=43200; Path=\/console; HttpOnly; Secure; SameSite=Strict$/,
  );
  const secret = /=([0-9a-f]{64});/.exec(headers.get("set-cookie") ?? "")?.[1] ?? "";
  const key = redisKeys.consoleSession(await sha256Hex(secret));
  expect(await api.redis.redis.ttl(key)).toBeGreaterThan(SESSION_TTL - 60);
  expect(JSON.parse((await api.redis.redis.get(key)) ?? "")).toEqual({
    key_id: null,
    key_sha256: await sha256Hex(API_KEY),
  });
  expect((await api.redis.redis.keys("*")).filter((each) => each.includes(secret))).toEqual([]);
});

test("without TLS the cookie works as well", async () => {
  const app = createApp({ ...api.deps, baseUrl: () => "http://localhost:8080" });
  const { headers } = await app.request("/console/sign-in", {
    method: "POST",
    headers: { origin: "http://localhost" },
    body: new URLSearchParams({ key: API_KEY }),
  });
  expect(headers.get("set-cookie")).toMatch(/HttpOnly; SameSite=Strict$/);
});

test.each([
  ["nothing", ""],
  ["something else", "nonsense"],
  ["a key that names none", `tl_01kapz6s8r3v5m2n7q9w4x6y8z_${"0".repeat(64)}`],
])("%s is no key: a sentence says so, and nobody is signed in", async (_of, key) => {
  const refused = await signIn({ key, next: "/console/batches" });
  const page = await refused.text();
  checkPage(refused.headers, page);
  expect([refused.status, refused.headers.get("set-cookie")]).toEqual([401, null]);
  expect(page).toContain('<p class="fault" role="alert">This API key is not known.</p>');
  expect(page).toContain('value="/console/batches"');
});

test("a key that is tried too often has to wait, and others do not", async () => {
  const { key, shown } = await makeKey(api);
  const { key: other } = await makeKey(api);
  await api.redis.redis.set(redisKeys.rateLimit(`sign-in:${shown.id}`), MOST_TRIES, "EX", 60);
  const refused = await signIn({ key });
  expect(refused.status).toBe(429);
  expect(await refused.text()).toMatch(/Too many tries to sign in\. Try again in \d+ s\./);
  expect((await signIn({ key: other })).status).toBe(303);
});

test("who has signed out, has signed out: the browser forgets and so does the service", async () => {
  const visitor = await visit(api);
  expect((await visitor.get("/console/batches")).status).toBe(200);
  const out = await visitor.post("/console/sign-out");
  expect([out.status, out.location]).toEqual([303, "/console/sign-in"]);
  expect(out.headers.get("set-cookie")).toMatch(/^tresline_console=; Max-Age=0; Path=\/console/);
  expect((await visitor.get("/console/batches")).location).toMatch(/^\/console\/sign-in/);
});

test("a session ends with its key: when that is revoked", async () => {
  const { key, shown } = await makeKey(api);
  const visitor = await visit(api, key);
  expect((await visitor.get("/console/batches")).status).toBe(200);
  await api.request(`/v1/api-keys/${shown.id}`, { method: "DELETE" });
  expect((await visitor.get("/console/batches")).location).toMatch(/^\/console\/sign-in/);
  expect((await signIn({ key })).status).toBe(401);
});

test("a session ends with its key: when the service's own is another", async () => {
  const visitor = await visit(api);
  const app = createApp({
    ...api.deps,
    config: { ...api.deps.config, API_KEY: "another-api-key-0123456789" },
  });
  const { status } = await app.request("/console/batches", { headers: { cookie: visitor.cookie } });
  expect(status).toBe(303);
});

test("a key that was used to sign in counts as used", async () => {
  const { key, shown } = await makeKey(api);
  await visit(api, key);
  const { data } = (await (await api.request("/v1/api-keys?limit=100")).json()) as {
    data: Record<string, unknown>[];
  };
  expect(data.find(({ id }) => id === shown.id)?.["last_used_at"]).toEqual(expect.any(String));
});

test("the name of a key is shown as it is, whatever stands in it", async () => {
  const { key } = await makeKey(api, { name: `"><script>alert(1)</script>`, tenant: "acme" });
  const { text } = await (await visit(api, key)).get("/console/batches");
  expect(text).toContain("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(text).not.toContain("<script>alert");
});

test.each([
  ["no origin", {}],
  ["another origin", { origin: "https://evil.example" }],
  ["another site, as browsers tell", { "sec-fetch-site": "cross-site", origin: "null" }],
])("a form that comes from %s does nothing", async (_of, headers: Record<string, string>) => {
  const visitor = await visit(api);
  const refused = await api.app.request("/console/sign-out", {
    method: "POST",
    headers: { cookie: visitor.cookie, ...headers },
    body: new URLSearchParams(),
  });
  const page = await refused.text();
  checkPage(refused.headers, page);
  expect(refused.status).toBe(403);
  expect(page).toContain("It came from another site, and nothing was done.");
  expect((await signIn({ key: API_KEY }, headers)).status).toBe(403);
  expect((await visitor.get("/console/batches")).status).toBe(200);
});
