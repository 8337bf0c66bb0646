import { WebhookSecret } from "../../shared/contracts/webhook.ts";
import type { Call, Transport } from "./transport.ts";
import type { Rotation } from "./webhook-endpoints.ts";

/** The tenant's default secret, which signs messages to addresses given with a request. It needs a key with the scope `admin`. */
export interface DefaultWebhookSecret {
  get(call?: Call): Promise<string>;
  /** A new one in its place. */
  rotate(rotation?: Rotation): Promise<string>;
}

const PATH = "/v1/webhook-secret";

/** The calls about the default secret. */
export function webhookSecret(transport: Transport): DefaultWebhookSecret {
  return {
    get: async ({ signal } = {}) => (await transport.ask(WebhookSecret, { path: PATH, signal })).value.secret,
    async rotate({ overlapHours, signal } = {}) {
      const query = overlapHours === undefined ? "" : `?overlap_hours=${overlapHours}`;
      const sending = { method: "POST", path: `${PATH}/rotate${query}`, signal } as const;
      return (await transport.ask(WebhookSecret, sending)).value.secret;
    },
  };
}
