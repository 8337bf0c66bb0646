import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../api/app.ts";
import type { Problem } from "../../shared/contracts/error.ts";
import { API_KEY, startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const EVENTS = "/v1/events/s3";
const TOKEN = "events-token-0123456789";
const JSON_TYPE = { "content-type": "application/json" };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ S3_EVENTS_TOKEN: TOKEN });
});
afterAll(() => api.close());

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
const body = JSON.stringify({ Records: [] });
const post = (path: string, authorization?: string, sent = body) =>
  api.app.request(path, {
    method: "POST",
    body: sent,
    headers: { ...JSON_TYPE, ...(authorization && { authorization }) },
  });

test.each([
  ["after Bearer", EVENTS, `Bearer ${TOKEN}`],
  ["after bearer", EVENTS, `bearer ${TOKEN}`],
  ["alone, as MinIO sends it", EVENTS, TOKEN],
  ["as the password of Basic", EVENTS, basic(`anyone:${TOKEN}`)],
  ["as the password of Basic without a user", EVENTS, basic(`:${TOKEN}`)],
  ["in the query, as Ceph and SNS send it", `${EVENTS}?token=${TOKEN}`, undefined],
  ["or the API key", EVENTS, `Bearer ${API_KEY}`],
])("the token is taken %s", async (_how, path, authorization) => {
  expect((await post(path, authorization)).status).toBe(200);
});

test.each([
  ["nothing", EVENTS, undefined],
  ["another token", EVENTS, "Bearer events-token-9876543210"],
  ["half the token", EVENTS, `Bearer ${TOKEN.slice(0, -1)}`],
  ["the token as the user of Basic", EVENTS, basic(`${TOKEN}:`)],
  ["Basic that is not base 64", EVENTS, "Basic ====="],
  ["an empty token in the query", `${EVENTS}?token=`, undefined],
  ["another token in the query", `${EVENTS}?token=nonsense`, undefined],
  ["the API key in the query", `${EVENTS}?token=${API_KEY}`, undefined],
  ["the API key alone", EVENTS, API_KEY],
])("%s is refused", async (_what, path, authorization) => {
  const response = await post(path, authorization);
  expect(response.status).toBe(401);
  const problem = (await response.json()) as Problem;
  expect(problem).toMatchObject({ code: "unauthorized", instance: EVENTS });
});

test("the token is good for events alone, and is in no log and no answer", async () => {
  for (const path of ["/v1/labelers", `/v1/labelers?token=${TOKEN}`])
    expect((await api.app.request(path, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(401);
  const answers = await Promise.all([
    post(`${EVENTS}?token=${TOKEN}`),
    post(`${EVENTS}?token=${TOKEN}&token=2`, "Bearer wrong"),
    post(EVENTS, `Bearer ${TOKEN}`, "{"),
    api.app.request(`${EVENTS}/nowhere?token=${TOKEN}`, { method: "POST", body }),
  ]);
  for (const answer of answers) expect(await answer.text()).not.toContain(TOKEN);
  expect(api.logLines.length).toBeGreaterThan(10);
  expect(api.logLines.filter((line) => line.includes(TOKEN))).toEqual([]);
});

test("without a token of its own the route takes only the API key, and says how to have one", async () => {
  const { S3_EVENTS_TOKEN: _, ...config } = api.deps.config;
  const app = createApp({ ...api.deps, config });
  const send = (authorization: string) =>
    app.request(EVENTS, { method: "POST", body, headers: { ...JSON_TYPE, authorization } });
  expect((await send(`Bearer ${API_KEY}`)).status).toBe(200);
  const refused = await send(`Bearer ${TOKEN}`);
  expect(refused.status).toBe(401);
  expect(((await refused.json()) as Problem).detail).toContain("S3_EVENTS_TOKEN");
  expect((await send("undefined")).status).toBe(401);
});
