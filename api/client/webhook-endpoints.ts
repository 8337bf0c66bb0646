import type { z } from "zod";
import {
  WebhookAttempt,
  WebhookEndpoint,
  WebhookEndpointWithSecret,
  WebhookMessage,
  WebhookRecovery,
} from "../../shared/contracts/webhook.ts";
import type { CreateWebhookEndpoint, UpdateWebhookEndpoint } from "../../shared/contracts/webhook.ts";
import { creatingHeaders } from "./creating.ts";
import type { Creating } from "./creating.ts";
import { listAll } from "./list-all.ts";
import { sendingJson } from "./sending-json.ts";
import type { Call, Transport } from "./transport.ts";

/** How the secret before is to go. */
export interface Rotation extends Call {
  /** Hours for which it signs beside the new one; 24 when absent, and 0 ends it at once. */
  overlapHours?: number | undefined;
}

/** Registered receivers of messages. All of it needs a key with the scope `admin`. */
export interface WebhookEndpoints {
  /** A new endpoint. Its `secret` is shown in this answer and never again. */
  create(request: z.input<typeof CreateWebhookEndpoint>, call?: Call): Promise<WebhookEndpointWithSecret>;
  /** All of them, the newest first. */
  list(call?: Call): Promise<WebhookEndpoint[]>;
  get(id: string, call?: Call): Promise<WebhookEndpoint>;
  /** Changes what is given, and leaves the rest as it is. */
  update(id: string, changes: UpdateWebhookEndpoint, call?: Call): Promise<WebhookEndpoint>;
  /** Deletes it. Messages that are under way to it are not sent. */
  delete(id: string, call?: Call): Promise<void>;
  /** A new secret, shown this once. */
  rotateSecret(id: string, rotation?: Rotation): Promise<WebhookEndpointWithSecret>;
  /** Sends it the event `webhook.test`. */
  test(id: string, call?: Creating): Promise<WebhookMessage>;
  /** Sends again what was given up or not sent since a time (RFC 3339). Tells how many messages. */
  recover(id: string, since: string, call?: Call): Promise<number>;
  /** The log of attempts at it, the latest first: 500 at most. */
  attempts(id: string, call?: Call): Promise<WebhookAttempt[]>;
}

const PATH = "/v1/webhook-endpoints";
const pathOf = (id: string, rest = "") => `${PATH}/${encodeURIComponent(id)}${rest}`;

/** The calls about webhook endpoints. */
export function webhookEndpoints(transport: Transport): WebhookEndpoints {
  return {
    async create(request, call = {}) {
      const sending = { method: "POST", path: PATH, ...sendingJson(request, call) } as const;
      return (await transport.ask(WebhookEndpointWithSecret, sending)).value;
    },
    list: (call = {}) => listAll(transport, WebhookEndpoint, PATH, call),
    get: async (id, { signal } = {}) =>
      (await transport.ask(WebhookEndpoint, { path: pathOf(id), signal })).value,
    async update(id, changes, call = {}) {
      const sending = { method: "PATCH", path: pathOf(id), ...sendingJson(changes, call) } as const;
      return (await transport.ask(WebhookEndpoint, sending)).value;
    },
    delete: (id, { signal } = {}) => transport.tell({ method: "DELETE", path: pathOf(id), signal }),
    async rotateSecret(id, { overlapHours, signal } = {}) {
      const query = overlapHours === undefined ? "" : `?overlap_hours=${overlapHours}`;
      const sending = { method: "POST", path: pathOf(id, `/rotate-secret${query}`), signal } as const;
      return (await transport.ask(WebhookEndpointWithSecret, sending)).value;
    },
    async test(id, call = {}) {
      const { signal } = call;
      const headers = creatingHeaders(call, transport);
      const sending = { method: "POST", path: pathOf(id, "/test"), headers, signal } as const;
      return (await transport.ask(WebhookMessage, sending)).value;
    },
    async recover(id, since, { signal } = {}) {
      const path = pathOf(id, `/recover?since=${encodeURIComponent(since)}`);
      return (await transport.ask(WebhookRecovery, { method: "POST", path, signal })).value.messages;
    },
    attempts: (id, call = {}) => listAll(transport, WebhookAttempt, pathOf(id, "/attempts"), call),
  };
}
