import { afterAll, beforeAll, expect, test } from "vitest";
import { SECTIONS } from "../../../api/console/sections.ts";
import { Scope } from "../../../shared/contracts/api-key.ts";
import { makeKey } from "../support/make-key.ts";
import { makeThings } from "../support/tenant-things.ts";
import { PUBLIC_URL, startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";
import { visit } from "./support/visit.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos", MAX_BODY_BYTES: "4096" });
});
afterAll(() => api.close());

/** What anybody may ask for. */
const OPEN = ["/console/sign-in", "/console/sign-out", "/console/icon.svg"];

/** Every page and every form behind the sign-in, with ids that are none. */
const behind = (method: string) => [
  ...new Set(
    api.app.routes
      .filter((route) => route.method === method && route.path.startsWith("/console"))
      .map(({ path }) => path.replaceAll(/:\w+(\{[^}]*\})?/g, "x").replace("*", "x"))
      .filter((path) => path !== "/console/x" && !OPEN.includes(path)),
  ),
];

test("nothing is shown and nothing is done without a session", async () => {
  expect(behind("GET").length).toBeGreaterThan(15);
  expect(behind("POST").length).toBeGreaterThan(5);
  for (const method of ["GET", "POST"])
    for (const path of behind(method)) {
      const { status, headers } = await api.app.request(path, { method, headers: { origin: PUBLIC_URL } });
      expect([path, status], path).toEqual([path, 303]);
      expect(headers.get("location")).toMatch(/^\/console\/sign-in\?next=/);
    }
});

test("a key that only reads does nothing, and a page says which scope is missing", async () => {
  const { key } = await makeKey(api, { scopes: ["read"] });
  const visitor = await visit(api, key);
  for (const path of behind("POST")) {
    const { status, text } = await visitor.post(path);
    expect([path, status]).toEqual([path, 403]);
    expect(text).toMatch(/This needs a key .*with the scope &quot;(classify|admin)&quot;/);
  }
});

test("each section is shown to the keys that may see it, and refused to others", async () => {
  for (const scope of Scope.options) {
    const { key } = await makeKey(api, { scopes: [scope] });
    const visitor = await visit(api, key);
    for (const section of SECTIONS.filter(({ path }) => path !== "/console")) {
      const { status, text } = await visitor.get(section.path);
      const isTheirs = section.scope === scope;
      expect([section.path, scope, status]).toEqual([section.path, scope, isTheirs ? 200 : 403]);
      const links = text.match(
        new RegExp(`href="${section.path}" aria-current="page"|href="${section.path}"`, "g"),
      );
      expect(links).toEqual(isTheirs ? [`href="${section.path}" aria-current="page"`] : null);
    }
  }
});

test("what is not there is a page that leads back, and never JSON", async () => {
  const visitor = await visit(api);
  for (const path of [
    "/console/nothing",
    "/console/batches/x",
    "/console/images/x",
    "/console/classifications/x",
  ]) {
    const { status, text, headers } = await visitor.get(path);
    expect([path, status, headers.get("content-type")]).toEqual([path, 404, "text/html; charset=UTF-8"]);
    expect(text).toContain('<a href="/console">Back to the console</a>');
  }
});

test("a fault of ours is a page that tells nothing of itself", async () => {
  const visitor = await visit(api);
  const { storage } = api.deps;
  const get = storage.get.bind(storage);
  storage.get = () => Promise.reject(new Error("EACCES: permission denied, open '/srv/secret'"));
  const { status, text } = await visitor.get("/console/classifications/cls_01kapz6s8r3v5m2n7q9w4x6y8z");
  storage.get = get;
  expect(status).toBe(500);
  expect(text).not.toContain("/srv/secret");
  expect(text).toMatch(/Request <code>req_[a-z0-9]{26}<\/code>/);
  expect(api.logLines.join("")).toContain("/srv/secret");
});

test("a form that is too large is refused with how large it may be", async () => {
  const { status, text } = await (await visit(api)).post("/console", { urls: "x".repeat(5_000) });
  expect(status).toBe(413);
  expect(text).toContain("What you sent has more than 4096 bytes in all");
});

test("a key that is limited is limited in the console as well, where it does something", async () => {
  const limited = await startTestApi({ RATE_LIMIT_PER_MINUTE: "1" });
  const visitor = await visit(limited);
  const answers = [
    await visitor.post("/console"),
    await visitor.post("/console"),
    await visitor.get("/console"),
  ];
  expect(answers.map(({ status }) => status)).toEqual([400, 429, 200]);
  await limited.close();
});

test("no page shows anything of another tenant, whoever asks for it", async () => {
  const theirs = await makeThings(api, "theirs", "mark-of-theirs");
  await makeThings(api, "ours", "mark-of-ours");
  const { key } = await makeKey(api, { tenant: "ours" });
  const visitor = await visit(api, key);
  const ids = {
    classifications: theirs.classifications,
    images: [...theirs.classifications, theirs.upload],
    batches: theirs.batches,
    labelers: [theirs.labeler],
    webhooks: [theirs.endpoint],
  };
  const lists = SECTIONS.filter(({ isOperators }) => !isOperators).map(({ path }) => path);
  const things = Object.entries(ids).flatMap(([section, each]) =>
    each.map((id) => `/console/${section}/${id}`),
  );
  const streams = theirs.classifications.map((id) => `/console/classifications/cards?ids=${id}`);
  const named = [
    `/console?ids=${theirs.classifications[0]}`,
    `/console/batches/details?ids=${theirs.batches[0]}`,
  ];
  for (const path of [...lists, ...things, ...streams, ...named]) {
    const { status, text } = await visitor.get(path);
    expect(text, path).not.toContain("mark-of-theirs");
    expect([path, status]).toEqual([path, lists.includes(path) ? 200 : 404]);
  }
  expect((await visitor.get("/console/classifications")).text).toContain("cat.jpg");
  for (const path of things.filter((each) => !each.includes("/images/")))
    for (const verb of ["cancel", "retry", "delete", "pause", "test"])
      expect((await visitor.post(`${path}/${verb}`)).status, `${path}/${verb}`).toBe(404);
});
