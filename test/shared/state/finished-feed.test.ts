import { afterAll, beforeAll, expect, test } from "vitest";
import type { Classification } from "../../../shared/contracts/classification.ts";
import { redisKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { queuedClassification } from "../../../shared/queued-classification.ts";
import { openFinishedFeed, tellFinished } from "../../../shared/state/finished-feed.ts";
import type { FinishedFeed } from "../../../shared/state/finished-feed.ts";
import { imageJob } from "../../support/labelling.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
let feed: FinishedFeed;
beforeAll(async () => {
  server = await startTestRedis();
  feed = openFinishedFeed(server.redis.duplicate());
});
afterAll(async () => {
  feed.close();
  await server.stop();
});

const never = new AbortController().signal;
const finished = (): Classification => ({
  ...queuedClassification(imageJob("/a")),
  status: "succeeded",
  predictions: [],
  completed_at: new Date().toISOString(),
});

test("an end that comes before it is waited for is not missed", async () => {
  const classification = finished();
  const wait = await feed.expect(classification.id);
  await tellFinished(server.redis, wait.feed, classification);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await wait.result(5_000, never)).toEqual(classification);
});

test("each waits for its own, and all for the same feed", async () => {
  const some = [finished(), finished(), finished()];
  const waits = await Promise.all(some.map(({ id }) => feed.expect(id)));
  const results = waits.map((wait) => wait.result(5_000, never));
  const [name = "", ...others] = new Set(waits.map((wait) => wait.feed));
  expect(others).toEqual([]);
  for (const classification of some.toReversed()) await tellFinished(server.redis, name, classification);
  expect(await Promise.all(results)).toEqual(some);
});

test("nobody waits longer than asked", async () => {
  const wait = await feed.expect(finished().id);
  expect(await wait.result(30, never)).toBeUndefined();
});

test("what is told to another process is heard there alone", async () => {
  const other = openFinishedFeed(server.redis.duplicate());
  const classification = finished();
  const [here, there] = [await feed.expect(classification.id), await other.expect(classification.id)];
  await tellFinished(server.redis, there.feed, classification);
  expect(await there.result(5_000, never)).toEqual(classification);
  expect(await here.result(30, never)).toBeUndefined();
  other.close();
});

test("a client that goes away ends its wait, even when it went before", async () => {
  const { id } = finished();
  const client = new AbortController();
  const result = (await feed.expect(id)).result(60_000, client.signal);
  client.abort();
  expect(await result).toBeUndefined();
  expect(await (await feed.expect(id)).result(60_000, AbortSignal.abort())).toBeUndefined();
});

test("an end told in a form of another version ends the wait without a result instead of ending the process", async () => {
  for (const text of ['{"id":"of the future"}', "no JSON"]) {
    const id = newId("cls");
    const wait = await feed.expect(id);
    await server.redis.publish(redisKeys.finishedFeed(wait.feed), `${id} ${text}`);
    expect(await wait.result(10_000, never)).toBeUndefined();
  }
});
