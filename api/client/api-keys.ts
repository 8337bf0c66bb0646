import { ApiKey, ApiKeyWithSecret } from "../../shared/contracts/api-key.ts";
import type { CreateApiKey } from "../../shared/contracts/api-key.ts";
import { listAll } from "./list-all.ts";
import type { Call, Transport } from "./transport.ts";

/** The keys that clients send. All of it needs a key with the scope `admin`. */
export interface ApiKeys {
  /** A new key. Its `key` is shown in this answer and never again. */
  create(request: CreateApiKey, call?: Call): Promise<ApiKeyWithSecret>;
  /** The tenant's keys, or with the service's own key those of all tenants, the newest first. */
  list(call?: Call): Promise<ApiKey[]>;
  /** The key, which is refused from now on. */
  revoke(id: string, call?: Call): Promise<ApiKey>;
}

const PATH = "/v1/api-keys";

/** The calls about API keys. */
export function apiKeys(transport: Transport): ApiKeys {
  return {
    async create(request, { signal } = {}) {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify(request);
      const sending = { method: "POST", path: PATH, headers, body, signal } as const;
      return (await transport.ask(ApiKeyWithSecret, sending)).value;
    },
    list: (call = {}) => listAll(transport, ApiKey, PATH, call),
    revoke: async (id, { signal } = {}) =>
      (await transport.ask(ApiKey, { method: "DELETE", path: `${PATH}/${encodeURIComponent(id)}`, signal }))
        .value,
  };
}
