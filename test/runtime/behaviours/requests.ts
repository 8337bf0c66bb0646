import { expect } from "vitest";
import type { Behaviours } from "../support/behaviour.ts";
import { MAX_BODY_BYTES } from "../support/services.ts";

/** Which requests are refused, and what a request that is sent again is answered. */
export const REQUESTS: Behaviours = {
  "whoever has no key, or one that may do less, is told so": async ({ ask }) => {
    const nobody = await ask("/v1/batches/bat_01kapz6s8r3v5m2n7q9w4x6y8z", {
      authorization: "Bearer nobody",
    });
    expect([nobody.status, nobody.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringMatching(/^Bearer/),
    ]);
    const { json } = await ask("/v1/api-keys", { body: { name: "reader", scopes: ["read"] } });
    const authorization = `Bearer ${String(json["key"])}`;
    const refused = await ask("/v1/classifications", {
      body: { image: { url: "https://example.com/a.png" } },
      authorization,
    });
    expect([refused.status, refused.json["code"]]).toEqual([403, "forbidden"]);
    expect((await ask(`/v1/api-keys/${String(json["id"])}`, { method: "DELETE" })).status).toBe(200);
    expect((await ask("/v1/webhook-secret", { authorization })).status).toBe(401);
  },

  "what is wrong with a request is a problem that points at it": async ({ ask }) => {
    const post = (body: unknown, headers = {}) => ask("/v1/classifications", { body, headers });
    const image = { url: "https://example.com/a.png" };
    const wrong = [
      await post('{"image":', { "content-type": "application/json" }),
      await post({ image, top_k: 0 }),
      await post("text", { "content-type": "text/plain" }),
      await post({ image, model: "unknown" }),
      await ask("/v1/classifications/cls_01kapz6s8r3v5m2n7q9w4x6y8z"),
      await ask("/v1/nothing", { method: "PATCH" }),
    ];
    expect(wrong.map(({ status, json }) => [status, json["code"]])).toEqual([
      [400, "invalid_request"],
      [400, "invalid_request"],
      [415, "unsupported_media_type"],
      [404, "model_not_found"],
      [404, "not_found"],
      [404, "not_found"],
    ]);
    expect(wrong[1]?.json["errors"]).toEqual([expect.objectContaining({ pointer: "/top_k" })]);
    const named = await ask("/v1/nothing", { headers: { "x-request-id": "named-by-the-client" } });
    expect(named.json["request_id"]).toBe("named-by-the-client");
  },

  "a request that is sent again under its key is answered as before": async ({ ask }) => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    const body = { image: { url: "https://example.com/once.png" } };
    const first = await ask("/v1/classifications", { body, headers });
    const again = await ask("/v1/classifications", { body, headers });
    expect(again.json).toEqual(first.json);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const other = await ask("/v1/classifications", { body: { ...body, top_k: 1 }, headers });
    expect([other.status, other.json["code"]]).toEqual([422, "idempotency_key_reused"]);
  },

  "a body that is too large is refused, and how many requests are left is told": async ({ ask }) => {
    // What is left of the body is not read on for long: the connection is of no further use.
    const headers = { "content-type": "image/png", connection: "close" };
    const { status, json } = await ask("/v1/classifications", {
      body: new Uint8Array(MAX_BODY_BYTES + 1),
      headers,
    });
    expect([status, json["code"]]).toEqual([413, "image_too_large"]);
    const counted = await ask("/v1/webhook-secret");
    expect(counted.headers.get("ratelimit-policy")).toBe('"default";q=100000;w=60');
    expect(counted.headers.get("ratelimit")).toMatch(/^"default";r=\d+;t=\d+$/);
  },
};
