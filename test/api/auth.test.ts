import { afterAll, beforeAll, expect, test } from "vitest";
import { SCOPES } from "../../api/scopes.ts";
import { Scope } from "../../shared/contracts/api-key.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { describedRoutes } from "./support/check-response.ts";
import { makeKey } from "./support/make-key.ts";
import { API_KEY, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const problemOf = async (response: Response) => (await response.json()) as Problem;

/** Every operation behind the keys, as `POST /v1/batches/{id}/cancel`. Bucket events have an authentication of their own. */
const operations = () =>
  describedRoutes(api.app)
    .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
    .filter((operation) => operation.includes(" /v1/") && operation !== "POST /v1/events/s3");

test("every operation has a scope, and every scope in the table an operation", () => {
  expect(operations().toSorted()).toEqual(Object.keys(SCOPES).toSorted());
});

test("each operation is refused to a key that has all scopes but the one it needs", async () => {
  for (const scope of Scope.options) {
    const others = Scope.options.filter((each) => each !== scope);
    const { headers } = await makeKey(api, { scopes: others });
    for (const operation of operations().filter((each) => SCOPES[each] === scope)) {
      const [method = "", path = ""] = operation.split(" ");
      const response = await api.request(path.replaceAll(/\{[^}]+\}/g, "x"), { method, headers });
      expect(await problemOf(response), operation).toMatchObject({
        status: 403,
        code: "forbidden",
        detail: `This needs a key with the scope "${scope}"; this one has "${others.join('", "')}".`,
      });
    }
  }
});

test("each operation lets a key pass that has the one scope it needs", async () => {
  for (const scope of Scope.options) {
    const { headers } = await makeKey(api, { scopes: [scope] });
    for (const operation of operations().filter((each) => SCOPES[each] === scope)) {
      const [method = "", path = ""] = operation.split(" ");
      const response = await api.request(path.replaceAll(/\{[^}]+\}/g, "x"), { method, headers });
      expect([401, 403], operation).not.toContain(response.status);
    }
  }
});

test("what is not there is not found, whatever the key may do", async () => {
  const { headers } = await makeKey(api, { scopes: ["read"] });
  expect((await api.request("/v1/nothing", { method: "POST", headers })).status).toBe(404);
});

const SECRET = "0".repeat(64);

test.each([
  ["no header", "", "Send the header Authorization: Bearer <API key>."],
  ["another scheme", `Basic ${API_KEY}`, "The header must read Authorization: Bearer <API key>."],
  ["no key in it", "Bearer ", "The header must read Authorization: Bearer <API key>."],
  ["a key of no known form", "Bearer something-else", "This API key is not known."],
  ["a key that names none", `Bearer tl_01kapz6s8r3v5m2n7q9w4x6y8z_${SECRET}`, "This API key is not known."],
])("a request with %s is not let in", async (_of, authorization, detail) => {
  const response = await api.app.request("/v1/webhook-secret", {
    headers: authorization === "" ? {} : { authorization },
  });
  expect(await problemOf(response)).toMatchObject({ status: 401, code: "unauthorized", detail });
});

test("the name of a key with another secret is not let in, and counts as no use of it", async () => {
  const { key, shown } = await makeKey(api);
  const forged = `${key.slice(0, -SECRET.length)}${SECRET}`;
  const response = await api.request("/v1/webhook-secret", {
    headers: { authorization: `Bearer ${forged}` },
  });
  expect(await problemOf(response)).toMatchObject({ status: 401, detail: "This API key is not known." });
  const { data } = (await (await api.request("/v1/api-keys")).json()) as { data: Record<string, unknown>[] };
  expect(data.find(({ id }) => id === shown.id)).toMatchObject({ last_used_at: null });
});

/** How often Redis has been asked for anything. */
async function countCommands(): Promise<number> {
  const stats = await api.redis.redis.info("stats");
  return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1]);
}

/** Commands to Redis that a request makes which finds nothing behind its key. */
async function commandsOf(headers: Record<string, string>): Promise<number> {
  const before = await countCommands();
  expect((await api.request("/v1/nothing", { headers })).status).toBe(404);
  return (await countCommands()) - before - 1;
}

test("the service's own key costs no question to Redis, any other one", async () => {
  const { headers } = await makeKey(api);
  await commandsOf(headers);
  expect(await commandsOf({})).toBe(0);
  expect(await commandsOf(headers)).toBe(1);
});

test("the key of a request stands in its line of the log, and the trace it belongs to", async () => {
  const { shown, headers } = await makeKey(api, { tenant: "logged" });
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  await api.request("/v1/nothing", { headers: { ...headers, traceparent } });
  const line = api.logLines.findLast((each) => each.includes('"path":"/v1/nothing"'));
  expect(JSON.parse(line ?? "")).toMatchObject({
    tenant: "logged",
    key_id: shown.id,
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  });
});
