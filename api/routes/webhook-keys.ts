import { OpenAPIHono, createRoute } from "@hono/zod-openapi";
import { WebhookPublicKeys } from "../../shared/contracts/webhook.ts";
import { listPublicKeys } from "../../shared/state/webhook-public-keys.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { json } from "./responses.ts";

/** Seconds that anybody may keep the answer: less than any overlap of two keys. */
const MAX_AGE_S = 300;

const keys = createRoute({
  method: "get",
  path: "/.well-known/webhook-keys.json",
  operationId: "listWebhookPublicKeys",
  summary: "List the public keys that verify messages",
  description: "Those of endpoints that are signed for with `ed25519`. Needs no key.",
  tags: ["Webhooks"],
  responses: {
    200: {
      description: "The keys of every such endpoint.",
      ...json(WebhookPublicKeys),
    },
  },
});

/** The route where public keys are published, for anybody. */
export function webhookKeyRoutes({ redis }: Pick<ApiDeps, "redis">): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>().openapi(keys, async (c) =>
    c.json({ keys: await listPublicKeys(redis) }, 200, { "cache-control": `public, max-age=${MAX_AGE_S}` }),
  );
}
