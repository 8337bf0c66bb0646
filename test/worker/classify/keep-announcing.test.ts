import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findModel, labelsOfModel } from "../../../shared/state/models.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";
import { keepAnnouncing } from "../../../worker/classify/keep-announcing.ts";

let server: TestRedis;
beforeEach(async () => {
  server = await startTestRedis();
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
});

const model = { name: "birds", digest: "sha256:0", num_classes: 2, device: "cpu", input_size: null };
const servedAt = async () => (await findModel(server.redis, "birds"))?.served_at ?? "";

test("a model is announced with the names of its classes, again while it is served, and no more after that", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
  const began = await keepAnnouncing(server.redis, model, ["swan", "raven"]);
  expect(await labelsOfModel(server.redis, "birds")).toEqual(["swan", "raven"]);
  const first = await servedAt();
  vi.advanceTimersByTime(30_000);
  const second = await servedAt();
  expect(Date.parse(second) - Date.parse(first)).toBe(30_000);
  began.stop();
  vi.advanceTimersByTime(60_000);
  expect(await servedAt()).toBe(second);
});
