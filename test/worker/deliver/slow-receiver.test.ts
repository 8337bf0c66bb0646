import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readConfig } from "../../../shared/config.ts";
import { REDIS_PREFIX } from "../../../shared/keys.ts";
import { queueNames } from "../../../shared/queue.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import type { Consuming } from "../../../worker/consume.ts";
import { startDeliver } from "../../../worker/deliver/start.ts";
import { enqueueMessage } from "../../support/enqueue-message.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

const RECEIVERS = 50;
/** More than the worker has attempts under way. */
const FOR_THE_DEAD_ONE = 300;
const FOR_EACH_OTHER = 4;

/** What happened at the receivers, in this order. */
const happened: ("arrived" | "hangs" | "dead one was given up")[] = [];
const count = (what: (typeof happened)[number]) => happened.filter((each) => each === what).length;

let deps: WorkerTestDeps;
let deliver: Consuming;
const servers: Server[] = [];
beforeAll(async () => {
  deps = await openWorkerDeps();
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await deliver.close();
  await deps.stop();
});

/** A receiver at an address of its own; the dead one takes requests and never answers. */
async function startReceiver(isDead: boolean): Promise<string> {
  const server = createServer((request, response) => {
    happened.push(isDead ? "hangs" : "arrived");
    if (isDead) response.on("close", () => happened.push("dead one was given up"));
    else request.resume().on("end", () => response.writeHead(204).end());
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

const send = (url: string) => enqueueMessage(deps.queues, url);

test("a dead receiver, whose many messages come first, holds up none of 49 others", async () => {
  const [dead = "", ...others] = await Promise.all(
    Array.from({ length: RECEIVERS }, (_, i) => startReceiver(i === 0)),
  );
  const toTheDead: string[] = [];
  for (let message = 0; message < FOR_THE_DEAD_ONE; message++) toTheDead.push(await send(dead));
  for (let message = 0; message < FOR_EACH_OTHER; message++) for (const other of others) await send(other);
  const config = readConfig(WorkerConfig, { ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32" });
  deliver = startDeliver({ ...deps, config, onCrash: () => {} });

  const forOthers = others.length * FOR_EACH_OTHER;
  await vi.waitFor(() => expect(count("arrived")).toBe(forOthers), { timeout: 25_000, interval: 20 });
  const whenAllHadArrived = happened.slice(0, happened.lastIndexOf("arrived"));
  expect(whenAllHadArrived, "before the first attempt at it timed out").not.toContain(
    "dead one was given up",
  );
  expect(count("hangs"), "it has two attempts under way").toBe(2);

  const queue = new Queue(queueNames.deliver, { connection: deps.redis, prefix: REDIS_PREFIX });
  const attempts = await Promise.all(toTheDead.map(async (id) => (await queue.getJob(id))?.attemptsMade));
  await queue.close();
  expect(attempts, "none is lost, and a put-off uses up no attempt").toEqual(toTheDead.map(() => 0));
});
