import { Queue } from "bullmq";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readConfig } from "../../../shared/config.ts";
import { REDIS_PREFIX, redisKeys } from "../../../shared/keys.ts";
import { messageId, newId } from "../../../shared/new-id.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getEndedMessage } from "../../../shared/state/webhook-messages.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import type { Consuming } from "../../../worker/consume.ts";
import { startDeliver } from "../../../worker/deliver/start.ts";
import { enqueueMessage } from "../../support/enqueue-message.ts";
import { startTestServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { registerEndpoint } from "../../support/webhook-endpoint.ts";
import { openWorkerDeps } from "../../support/worker-deps.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

let deps: WorkerTestDeps;
let receiver: TestServer;
let deliver: Consuming;
let queue: Queue;
const arrived: Record<string, number> = {};
beforeAll(async () => {
  receiver = await startTestServer(({ path }) => {
    arrived[path] = (arrived[path] ?? 0) + 1;
    if (path === "/busy") return { status: 503, headers: { "retry-after": "7200" } };
    if (path === "/gone") return { status: 410 };
    return { status: path === "/flaky" && arrived[path] === 1 ? 500 : 200 };
  });
  deps = await openWorkerDeps();
  const config = readConfig(WorkerConfig, { ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32" });
  deliver = startDeliver({ ...deps, config, onCrash: () => {} });
  queue = new Queue(queueNames.deliver, { connection: deps.redis, prefix: REDIS_PREFIX });
});
afterAll(async () => {
  await deliver.close();
  await queue.close();
  await receiver.stop();
  await deps.stop();
});

const send = (path: string) => enqueueMessage(deps.queues, receiver.url + path);
const eventually = (check: () => Promise<void> | void) =>
  vi.waitFor(check, { timeout: 15_000, interval: 50 });

test("a message that failed is tried again after about five seconds, under the same id, until it is delivered", async () => {
  const id = await send("/flaky");
  await eventually(async () => expect((await getEndedMessage(deps.redis, id))?.status).toBe("delivered"));
  const ids = receiver.received
    .filter(({ path }) => path === "/flaky")
    .map(({ headers }) => headers["webhook-id"]);
  expect(ids).toEqual([id, id]);
});

test("a receiver that asks for more time gets it", async () => {
  const id = await send("/busy");
  await eventually(async () => expect((await queue.getJob(id))?.delay).toBe(7_200_000));
});

test("a receiver that is gone is asked once", async () => {
  const id = await send("/gone");
  await eventually(async () => expect((await getEndedMessage(deps.redis, id))?.status).toBe("failed"));
  expect(arrived["/gone"]).toBe(1);
});

test("trouble of our own is not taken for the receiver's: the message is tried again in ten seconds", async () => {
  const { endpoint } = await registerEndpoint(deps.redis, { url: receiver.url });
  await deps.redis.hset(redisKeys.webhookEndpoint("default", endpoint.id), "status", "half written");
  const id = await messageId(newId("cls"), "classification.succeeded", endpoint.id);
  const payload = {
    message_id: id,
    tenant: "default",
    event_type: "classification.succeeded" as const,
    endpoint_id: endpoint.id,
    body: "{}",
    created_at: new Date().toISOString(),
    sending: 0,
  };
  await deps.queues.enqueueDeliver({ id, payload });
  await eventually(async () => expect((await queue.getJob(id))?.delay).toBe(10_000));
});
