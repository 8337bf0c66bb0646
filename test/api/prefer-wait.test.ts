import { afterAll, beforeAll, expect, test } from "vitest";
import { preferredWaitS } from "../../api/prefer-wait.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { queuedClassification } from "../../shared/queued-classification.ts";
import { queueNames } from "../../shared/queue.ts";
import { tellFinished } from "../../shared/state/finished-feed.ts";
import { readQueue } from "../support/queue-reader.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://example.com/cat.jpg" };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

test.each([
  ["wait=10", 10],
  ["wait=0", 0],
  ["wait=60", 60],
  ["wait=61", 60],
  ["wait=99999999999999999999999", 60],
  ["Wait = 7", 7],
  ['wait="7"', 7],
  ["respond-async, wait=7", 7],
  ["wait=7, wait=9", 7],
  ["wait=7; foo=bar", 7],
  ["respond-async,wait=7;x=y,handling=lenient", 7],
  ["respond-async", 0],
  ["", 0],
  ["wait", 0],
  ["wait=", 0],
  ["wait=soon", 0],
  ["wait=-5", 0],
  ["wait=1.5", 0],
  ["wait=5s", 0],
  ["wait=1e1", 0],
  ["await=5", 0],
  ['note="wait=5"', 0],
  ["x-wait=5", 0],
])("Prefer: %s waits %i s", (prefer, seconds) => {
  expect(preferredWaitS(prefer, 0)).toBe(seconds);
});

test.each([
  ["wait=60", 25, 25],
  ["wait=10", 25, 10],
  ["wait=3600", 300, 60],
  ["wait=soon", 25, 0],
])("Prefer: %s waits, where an answer may take %i s, %i s", (prefer, maxAnswerS, seconds) => {
  expect(preferredWaitS(prefer, maxAnswerS)).toBe(seconds);
});

test("where an answer may take a second, a wait is answered and a stream ends after it, and both can be gone on with", async () => {
  const hurried = await startTestApi({ MAX_ANSWER_SECONDS: "1" });
  try {
    const response = await hurried.post(CLASSIFICATIONS, { image }, { prefer: "wait=60" });
    expect(response.status).toBe(202);
    expect(response.headers.get("preference-applied")).toBe("wait=1");
    const { id } = Classification.parse(await response.json());
    const stream = await hurried.request(`${CLASSIFICATIONS}/${id}/events`);
    expect(await stream.text()).toMatch(/^data: .*"status":"queued".*\nid: queued\n\n$/);
  } finally {
    await hurried.close();
  }
});

test("a wait whose time runs out is answered with 202, where to ask and when", async () => {
  const began = performance.now();
  const response = await api.post(CLASSIFICATIONS, { image }, { prefer: "wait=1" });
  expect(performance.now() - began).toBeGreaterThan(900);
  const { id, status } = Classification.parse(await response.json());
  expect(response.status).toBe(202);
  expect(status).toBe("queued");
  expect(response.headers.get("location")).toMatch(new RegExp(`^https://.*/v1/classifications/${id}$`));
  expect(response.headers.get("retry-after")).toBe("1");
  expect(response.headers.get("preference-applied")).toBe("wait=1");
});

test("nonsense in Prefer is passed over: the answer comes at once and claims nothing", async () => {
  const response = await api.post(CLASSIFICATIONS, { image }, { prefer: "wait=soon" });
  expect(response.status).toBe(202);
  expect(response.headers.get("preference-applied")).toBeNull();
});

test("a wait of more than a minute counts as a minute, and ends when the classification does", async () => {
  const answer = api.post(CLASSIFICATIONS, { image, metadata: { mark: "long" } }, { prefer: "wait=3600" });
  const { feed, ...queued } = await findByMark("long");
  const now = new Date().toISOString();
  const ended: Classification = { ...queued, status: "succeeded", predictions: [], completed_at: now };
  await tellFinished(api.redis.redis, feed, ended);
  const response = await answer;
  expect(response.status).toBe(200);
  expect(response.headers.get("preference-applied")).toBe("wait=60");
  expect(await response.json()).toEqual(ended);
});

test("a wait ends when the client goes or the process is to stop: what was accepted stays so", async () => {
  const client = new AbortController();
  const answer = api.request(CLASSIFICATIONS, {
    method: "POST",
    headers: { "content-type": "application/json", prefer: "wait=60" },
    body: JSON.stringify({ image, metadata: { mark: "gone" } }),
    signal: client.signal,
  });
  const { id } = await findByMark("gone");
  client.abort();
  expect((await answer).status).toBe(202);
  expect((await api.request(`${CLASSIFICATIONS}/${id}`)).status).toBe(200);
});

/** The queued classification with this text in its metadata, as soon as its job is there, and the feed in which its request waits. */
async function findByMark(mark: string): Promise<Classification & { feed: string }> {
  const find = async () => {
    const jobs = await readQueue(api.redis.redis, queueNames.classify("figures", "interactive"));
    const payloads = jobs.map(({ payload }) => ClassifyImagePayload.parse(payload));
    return payloads.find(({ metadata }) => metadata["mark"] === mark);
  };
  await expect.poll(find).toBeDefined();
  const found = await find();
  if (found?.feed == null) throw new Error(`${mark} vanished, or nobody waits for it.`);
  return { ...queuedClassification(found), feed: found.feed };
}
