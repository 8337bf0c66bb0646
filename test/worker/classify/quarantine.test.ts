import { afterAll, beforeAll, expect, test } from "vitest";
import { PermanentError } from "../../../shared/errors.ts";
import { createQuarantine } from "../../../worker/classify/quarantine.ts";
import { startTestRedis } from "../../support/redis.ts";
import type { TestRedis } from "../../support/redis.ts";

let server: TestRedis;
beforeAll(async () => void (server = await startTestRedis()));
afterAll(() => server.stop());

/** A worker that dies while it has the image in hand: what it began is never heard of again. */
async function dieOf(id: string): Promise<void> {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  void createQuarantine(server.redis)(id, () => {
    resolve();
    return new Promise(() => {});
  });
  await begun;
}

test("suspects run one at a time", async () => {
  const quarantine = createQuarantine(server.redis);
  const order: string[] = [];
  const run = (id: string) =>
    quarantine(id, async () => {
      order.push(`${id} begins`);
      await new Promise((resolve) => setTimeout(resolve, 10));
      order.push(`${id} ends`);
      return id;
    });
  expect(await Promise.all([run("a"), run("b")])).toEqual(["a", "b"]);
  expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("one that takes down two workers while it is the only suspect is not run again", async () => {
  await dieOf("killer");
  await dieOf("killer");
  let runs = 0;
  const third = createQuarantine(server.redis)("killer", async () => runs++);
  await expect(third).rejects.toThrow(PermanentError);
  await expect(third).rejects.toMatchObject({ code: "inference_failed" });
  expect(runs).toBe(0);
});

test("one that a worker survives is above suspicion, whether it was labelled or failed", async () => {
  const quarantine = createQuarantine(server.redis);
  for (let round = 0; round < 5; round++) {
    await dieOf("innocent");
    expect(await quarantine("innocent", async () => "labelled")).toBe("labelled");
    await dieOf("unlucky");
    await expect(quarantine("unlucky", () => Promise.reject(new Error("404")))).rejects.toThrow("404");
  }
});

test("one that is acquitted since its worker ends is above suspicion, and those behind it are never begun", async () => {
  for (let round = 0; round < 5; round++) {
    const quarantine = createQuarantine(server.redis);
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const began: string[] = [];
    const endless = (id: string) => () => {
      began.push(id);
      resolve();
      return new Promise(() => {});
    };
    void quarantine("handed back", endless("handed back"));
    void quarantine("behind", endless("behind"));
    await begun;
    await quarantine.acquit();
    expect(began).toEqual(["handed back"]);
  }
  expect(await createQuarantine(server.redis)("handed back", async () => "labelled")).toBe("labelled");
});
