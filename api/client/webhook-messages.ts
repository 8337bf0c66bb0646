import { WebhookMessage } from "../../shared/contracts/webhook.ts";
import { poll } from "./poll.ts";
import type { Waiting } from "./poll.ts";
import type { Call, Transport } from "./transport.ts";

/** Single messages: one event for one receiver each. All of it needs a key with the scope `admin`. */
export interface WebhookMessages {
  get(id: string, call?: Call): Promise<WebhookMessage>;
  /** The message once it is delivered, given up or not sent, which may be days. */
  wait(id: string, waiting?: Waiting<WebhookMessage>): Promise<WebhookMessage>;
  /** Sends it again under the same id, or tries it now while it waits for its next attempt. */
  resend(id: string, call?: Call): Promise<WebhookMessage>;
}

const pathOf = (id: string, verb = "") => `/v1/webhook-messages/${encodeURIComponent(id)}${verb}`;

/** The calls about webhook messages. */
export function webhookMessages(transport: Transport): WebhookMessages {
  const look = (id: string, { signal }: Call) => transport.ask(WebhookMessage, { path: pathOf(id), signal });
  return {
    get: async (id, call = {}) => (await look(id, call)).value,
    wait: (id, waiting = {}) =>
      poll(
        () => look(id, waiting),
        ({ ended_at }) => ended_at !== null,
        waiting,
      ),
    resend: async (id, { signal } = {}) =>
      (await transport.ask(WebhookMessage, { method: "POST", path: pathOf(id, "/resend"), signal })).value,
  };
}
