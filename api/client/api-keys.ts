import { z } from "zod";
import { ApiKey, ApiKeyWithSecret } from "../../shared/contracts/api-key.ts";
import type { CreateApiKey } from "../../shared/contracts/api-key.ts";
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
const PAGE = 100;
const ApiKeyPage = z.object({ data: z.array(ApiKey), next_cursor: z.string().nullable() });

/** The calls about API keys. */
export function apiKeys(transport: Transport): ApiKeys {
  return {
    async create(request, { signal } = {}) {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify(request);
      const sending = { method: "POST", path: PATH, headers, body, signal } as const;
      return (await transport.ask(ApiKeyWithSecret, sending)).value;
    },
    async list({ signal } = {}) {
      const listed: ApiKey[] = [];
      for (let cursor = ""; ;) {
        const path = `${PATH}?limit=${PAGE}${cursor}`;
        const { data, next_cursor } = (await transport.ask(ApiKeyPage, { path, signal })).value;
        listed.push(...data);
        if (next_cursor === null) return listed;
        cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
      }
    },
    revoke: async (id, { signal } = {}) =>
      (await transport.ask(ApiKey, { method: "DELETE", path: `${PATH}/${encodeURIComponent(id)}`, signal }))
        .value,
  };
}
