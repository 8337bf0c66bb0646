import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PermanentError } from "../../../shared/errors.ts";
import { redisKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { openCanceledFeed, tellCanceled } from "../../../shared/state/canceled-feed.ts";
import type { CanceledFeed } from "../../../shared/state/canceled-feed.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
let feed: CanceledFeed;
const listeners = async () => (await server.redis.pubsub("NUMSUB", redisKeys.canceledFeed()))[1];
beforeAll(async () => {
  server = await startTestRedis();
  feed = openCanceledFeed(server.redis.duplicate());
  await vi.waitUntil(async () => (await listeners()) === 1);
});
afterAll(async () => {
  feed.close();
  await server.stop();
});

/** Resolves with the reason as soon as the signal is aborted. */
const reasonOf = (signal: AbortSignal) =>
  new Promise<unknown>((tell) => signal.addEventListener("abort", () => tell(signal.reason)));

test("who has a classification in hand hears that it is canceled, and nobody else does", async () => {
  const [mine, other] = [newId("cls"), newId("cls")];
  const signals: AbortSignal[] = [];
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const working = feed.during(other, (signal) => (signals.push(signal), end));
  const canceled = feed.during(mine, reasonOf);
  await tellCanceled(server.redis, mine);
  expect(await canceled).toMatchObject({ code: "canceled" });
  expect(await canceled).toBeInstanceOf(PermanentError);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  resolve();
  await working;
});

test("what is told before it is taken or after it has ended changes nothing", async () => {
  const id = newId("cls");
  await tellCanceled(server.redis, id);
  const signal = await feed.during(id, async (each) => each);
  await tellCanceled(server.redis, id);
  const later = feed.during(newId("cls"), reasonOf);
  const marker = newId("cls");
  const heard = feed.during(marker, reasonOf);
  await tellCanceled(server.redis, marker);
  await heard;
  expect(signal.aborted).toBe(false);
  expect(await Promise.race([later, Promise.resolve("nothing")])).toBe("nothing");
});

test("it hears again when Redis has been away", async () => {
  const connection = server.redis.duplicate();
  const again = openCanceledFeed(connection);
  await expect.poll(listeners).toBe(2);
  await server.redis.client("KILL", "TYPE", "PUBSUB");
  await expect.poll(listeners).toBe(2);
  const id = newId("cls");
  const canceled = again.during(id, reasonOf);
  await tellCanceled(server.redis, id);
  expect(await canceled).toBeInstanceOf(PermanentError);
  again.close();
});
