import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem } from "../../shared/contracts/error.ts";
import { describedRoutes } from "./support/check-response.ts";
import { makeThings } from "./support/tenant-things.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

/** Stands in everything that the owner has, and so must stand in nothing that the stranger is told. */
const MARK = "of-its-owner";
const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
let owner: Awaited<ReturnType<typeof makeThings>>;
let stranger: Awaited<ReturnType<typeof makeThings>>;
beforeAll(async () => {
  api = await startTestApi({ S3_SOURCE_BUCKETS: "photos" });
  owner = await makeThings(api, "owner", MARK);
  stranger = await makeThings(api, "stranger", "of-the-stranger");
});
afterAll(() => api.close());

/** Every operation behind the keys, with the places for ids in its path, but those of models, which belong to nobody, and those that are for who runs the service. */
const NOBODYS = ["/v1/models", "/v1/scaler", "/v1/workers", "/v1/admin/"];
const operations = () =>
  describedRoutes(api.app)
    .map(({ method, path }) => ({ method: method.toUpperCase(), path }))
    .filter(
      ({ path }) =>
        path.startsWith("/v1/") &&
        path !== "/v1/events/s3" &&
        !NOBODYS.some((prefix) => path.startsWith(prefix)),
    );

/** What the owner has, by the beginning of the paths that lead to it. */
const idsOf = (): Record<string, string[]> => ({
  classifications: owner.classifications,
  batches: owner.batches,
  labelers: [owner.labeler],
  runs: [owner.run],
  uploads: [owner.upload],
  "webhook-endpoints": [owner.endpoint],
  "webhook-messages": owner.messages,
  "api-keys": [owner.apiKey],
});

/** The paths by which an operation leads to what the owner has. */
function pathsTo(path: string): string[] {
  if (path.includes("{run_id}"))
    return [owner.labeler, stranger.labeler].map((labeler) =>
      path.replace("{id}", labeler).replace("{run_id}", owner.run),
    );
  const ids = idsOf()[path.split("/")[2] ?? ""] ?? [];
  expect(ids.length, `something for ${path} to lead to`).toBeGreaterThan(0);
  return ids.map((id) => path.replace("{id}", id));
}

/** What operations need besides an id, to get as far as to look for it. */
const QUERIES: Record<string, string> = {
  "POST /v1/webhook-endpoints/{id}/recover": "?since=2026-01-01T00:00:00Z",
};
const BODIES: Record<string, object> = {
  "PATCH /v1/webhook-endpoints/{id}": { description: "mine now", status: "disabled" },
  "POST /v1/labelers/{id}/runs": {},
};

const ask = (method: string, path: string, { headers }: { headers: Record<string, string> }, body?: object) =>
  api.request(path, {
    method,
    headers: { ...headers, ...(body && { "content-type": "application/json" }) },
    ...(body && { body: JSON.stringify(body) }),
  });

/** All that the owner sees of what it has. */
async function lookAtAll(): Promise<unknown[]> {
  const looks = operations()
    .filter(({ method }) => method === "GET")
    .flatMap(({ path }) => (path.includes("{") ? pathsTo(path) : [path]))
    // A stream of events tells what GET tells, and of what moves it does not end.
    .filter((path) => !path.includes(stranger.labeler) && !path.endsWith("/events"));
  return Promise.all(
    looks.map(async (path) => {
      const response = await ask("GET", path, owner);
      return [path, response.status, withoutLook(await response.text())];
    }),
  );
}

/** What each look leaves behind, that of the owner too. */
const withoutLook = (text: string) => text.replaceAll(/"(last_used_at|request_id)":"[^"]*"/g, "");

test("what one tenant has another does not find, by any operation, and cannot change", async () => {
  const before = await lookAtAll();
  expect(JSON.stringify(before)).toContain(MARK);
  for (const { method, path } of operations().filter((each) => each.path.includes("{"))) {
    const operation = `${method} ${path}`;
    for (const exact of pathsTo(path)) {
      const response = await ask(method, exact + (QUERIES[operation] ?? ""), stranger, BODIES[operation]);
      const problem = (await response.json()) as Problem;
      expect(problem, `${method} ${exact}`).toMatchObject({ status: 404, code: "not_found" });
      expect(JSON.stringify(problem), operation).not.toContain(MARK);
    }
  }
  expect(await lookAtAll()).toEqual(before);
});

test("no list of one tenant shows anything of another", async () => {
  const lists = operations().filter(({ method, path }) => method === "GET" && !path.includes("{"));
  const ids = Object.values(idsOf()).flat();
  for (const { path } of lists) {
    const response = await ask("GET", path, stranger);
    expect(response.status, path).toBe(200);
    const text = await response.text();
    for (const foreign of [MARK, ...ids]) expect(text, path).not.toContain(foreign);
  }
  expect(lists.length).toBeGreaterThan(3);
});

/** What may be sent that names something of the owner, and how that is answered. */
const named = (): Record<string, [body: object | undefined, status: number]> => ({
  "POST /v1/classifications": [{ image, webhook: owner.endpoint }, 400],
  "POST /v1/batches": [{ items: [{ custom_id: "cat", image }], webhook: owner.endpoint }, 400],
  "POST /v1/uploads": [{ media_type: "image/png", bytes: 1 }, 201],
  "POST /v1/labelers": [{ bucket: "photos", webhook: owner.endpoint }, 400],
  "POST /v1/webhook-endpoints": [{ url: `https://example.com/${MARK}` }, 201],
  "POST /v1/webhook-secret/rotate": [undefined, 200],
  "POST /v1/api-keys": [{ name: "spy", scopes: ["admin"], tenant: "owner" }, 403],
});

test("nothing of another tenant can be named in what is created", async () => {
  const before = await lookAtAll();
  const creating = operations().filter(({ method, path }) => method !== "GET" && !path.includes("{"));
  for (const { method, path } of creating) {
    const [body, status] = named()[`${method} ${path}`] ?? [];
    expect(status, `how ${method} ${path} is to be tried`).toBeDefined();
    expect((await ask(method, path, stranger, body)).status, path).toBe(status);
  }
  expect(await lookAtAll()).toEqual(before);
});

test("each tenant's callbacks are signed with a secret of its own", async () => {
  const secrets = [owner, stranger].map(async (tenant) =>
    (await ask("GET", "/v1/webhook-secret", tenant)).json(),
  );
  const [first, second] = await Promise.all(secrets);
  expect(first).not.toEqual(second);
});
