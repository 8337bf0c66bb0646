import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, verifyWebhook } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { startTestServer } from "../../support/http-server.ts";
import type { TestServer } from "../../support/http-server.ts";
import { serveApi } from "./serve-api.ts";
import type { ServedApi } from "./serve-api.ts";

let api: ServedApi;
let client: Client;
let receiver: TestServer;
/** What the receiver answers, the last one for ever. */
const answers = [500, 204];
beforeAll(async () => {
  api = await serveApi();
  await api.startWorker();
  client = createClient(api);
  receiver = await startTestServer(() => ({ status: (answers.length > 1 && answers.shift()) || 204 }));
});
afterAll(async () => {
  await api.close();
  await receiver.stop();
});

test("an endpoint is registered, tried out, changed, and what it missed is sent again", async () => {
  const { secret, ...endpoint } = await client.webhookEndpoints.create({ url: `${receiver.url}/hook` });
  expect(await client.webhookEndpoints.list()).toEqual([endpoint]);
  expect(await client.webhookEndpoints.get(endpoint.id)).toEqual(endpoint);

  const began = new Date().toISOString();
  const { id } = await client.webhookEndpoints.test(endpoint.id, { idempotencyKey: "try-once" });
  expect((await client.webhookEndpoints.test(endpoint.id, { idempotencyKey: "try-once" })).id).toBe(id);
  await expect.poll(() => client.webhookEndpoints.attempts(endpoint.id)).toHaveLength(1);
  expect(await client.webhookMessages.resend(id)).toMatchObject({ id, type: "webhook.test" });
  expect(await client.webhookMessages.wait(id)).toMatchObject({
    status: "delivered",
    endpoint_id: endpoint.id,
  });
  expect(await client.webhookMessages.get(id)).toMatchObject({ status: "delivered" });
  expect((await client.webhookEndpoints.attempts(endpoint.id)).map((each) => each.response_status)).toEqual([
    204, 500,
  ]);

  const { body, headers } = receiver.received.at(-1) ?? { body: "", headers: {} };
  const event = await verifyWebhook(body, headers, secret ?? "");
  expect(event).toMatchObject({ type: "webhook.test", data: endpoint });

  const disabled = await client.webhookEndpoints.update(endpoint.id, { status: "disabled" });
  expect(disabled).toMatchObject({ status: "disabled", url: endpoint.url });
  await client.webhookEndpoints.update(endpoint.id, { status: "enabled" });
  expect(await client.webhookEndpoints.recover(endpoint.id, began)).toBe(0);
  await client.webhookEndpoints.delete(endpoint.id);
  expect(await client.webhookEndpoints.list()).toEqual([]);
});

test("secrets are rotated, and the one before signs on unless it has leaked", async () => {
  const { id, secret } = await client.webhookEndpoints.create({ url: `${receiver.url}/hook` });
  const rotated = await client.webhookEndpoints.rotateSecret(id, { overlapHours: 1 });
  const signedBy = async (...secrets: (string | null)[]) => {
    const { id: message } = await client.webhookEndpoints.test(id);
    await client.webhookMessages.wait(message);
    const { body, headers } = receiver.received.at(-1) ?? { body: "", headers: {} };
    return Promise.all(
      secrets.map((each) =>
        verifyWebhook(body, headers, each ?? "").then(
          () => true,
          () => false,
        ),
      ),
    );
  };
  expect(await signedBy(secret, rotated.secret)).toEqual([true, true]);
  const last = await client.webhookEndpoints.rotateSecret(id, { overlapHours: 0 });
  expect(await signedBy(secret, rotated.secret, last.secret)).toEqual([false, false, true]);

  const first = await client.webhookSecret.get();
  const second = await client.webhookSecret.rotate({ overlapHours: 0 });
  expect(second).not.toBe(first);
  expect(await client.webhookSecret.get()).toBe(second);
});
