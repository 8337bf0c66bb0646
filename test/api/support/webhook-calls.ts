import { expect } from "vitest";
import type {
  WebhookAttempt,
  WebhookEndpointWithSecret,
  WebhookMessage,
} from "../../../shared/contracts/webhook.ts";
import type { TestServer } from "../../support/http-server.ts";
import type { TestApi } from "./test-api.ts";

const ENDPOINTS = "/v1/webhook-endpoints";

/** What a test of webhooks asks of the API, and of the server at which its endpoints are. */
export function webhookCalls(api: () => TestApi, receiver: () => TestServer) {
  /** Sends a request and returns its body; fails when the answer is an error. */
  async function call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const response = await api().request(path, {
      method,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    expect(response.status, `${method} ${path}`).toBeLessThan(300);
    return (await response.json()) as Body;
  }
  const create = (path: string, more: object = {}) =>
    call<WebhookEndpointWithSecret>("POST", ENDPOINTS, { url: receiver().url + path, ...more });
  const messageOf = (id: string) => call<WebhookMessage>("GET", `/v1/webhook-messages/${id}`);
  const attemptsOf = async (id: string) =>
    (await call<{ data: WebhookAttempt[] }>("GET", `${ENDPOINTS}/${id}/attempts`)).data;
  async function endedAs(id: string, status: WebhookMessage["status"]): Promise<void> {
    await expect.poll(async () => (await messageOf(id)).status, { timeout: 10_000 }).toBe(status);
  }
  const receivedAt = (path: string) => receiver().received.filter((request) => request.path === path);
  return { call, create, messageOf, attemptsOf, endedAs, receivedAt };
}
