import { afterAll, beforeAll, expect, test } from "vitest";
import { BEHAVIOURS } from "./behaviours.ts";
import { openClient } from "./support/client.ts";
import type { Send } from "./support/client.ts";
import { startNodeRuntime } from "./support/node-runtime.ts";
import type { Runtime } from "./support/runtime.ts";
import { startServices } from "./support/services.ts";
import type { Services } from "./support/services.ts";

let services: Services;
let runtime: Runtime;
beforeAll(async () => {
  services = await startServices();
  runtime = await startNodeRuntime(services.env);
});
afterAll(async () => {
  await runtime?.stop();
  await services?.stop();
});

/** Answers without one of its headers. */
const without =
  (name: string): Send =>
  async (url, init) => {
    const { status, headers, body } = await fetch(url, init);
    headers.delete(name);
    return new Response(body, { status, headers });
  };

const asText = async (response: Response) => {
  const { status, headers } = response;
  return new Response(status === 204 ? null : await response.text(), { status, headers });
};

const BREAKS: [what: string, broken: Send, caughtBy: string][] = [
  [
    "drops Location",
    without("location"),
    "an image is accepted with 202, where to ask and when, and has its label there",
  ],
  [
    "drops Retry-After",
    without("retry-after"),
    "an image is accepted with 202, where to ask and when, and has its label there",
  ],
  [
    "drops X-Request-Id",
    without("x-request-id"),
    "whether it runs and whether it is ready are told without a key",
  ],
  [
    "drops WWW-Authenticate",
    without("www-authenticate"),
    "whoever has no key, or one that may do less, is told so",
  ],
  [
    "drops Idempotent-Replayed",
    without("idempotent-replayed"),
    "a request that is sent again under its key is answered as before",
  ],
  [
    "drops RateLimit",
    without("ratelimit"),
    "a body that is too large is refused, and how many requests are left is told",
  ],
  [
    "reads bodies as text",
    (url, init) =>
      fetch(url, {
        ...init,
        ...(init.body instanceof Uint8Array && { body: new TextDecoder().decode(init.body) }),
      }),
    "an image that is the body is labelled, with its options from the query",
  ],
  [
    "writes bodies as text",
    async (url, init) => asText(await fetch(url, init)),
    "a batch is labelled, and its results are read as lines and as a file of bytes",
  ],
  [
    "loses the query",
    (url, init) => fetch(url.split("?")[0] ?? url, init),
    "an image that is the body is labelled, with its options from the query",
  ],
  [
    "answers before the labels are there",
    (url, init) => {
      const { prefer: _prefer, ...headers } = init.headers as Record<string, string>;
      return fetch(url, { ...init, headers });
    },
    "an image in a data URL is labelled while the request waits",
  ],
];

test.each(BREAKS)("a runtime that %s is caught", async (_what, broken, caughtBy) => {
  const behave = BEHAVIOURS[caughtBy];
  await behave?.(openClient(services, runtime.url));
  await expect(behave?.(openClient(services, runtime.url, broken))).rejects.toBeInstanceOf(Error);
});

test("a runtime that leaves connections behind is caught", async () => {
  const behave =
    BEHAVIOURS[
      "fifty requests at once are each answered, half of them with labels, and leave no connection behind"
    ];
  const leaked: { disconnect: () => void }[] = [];
  const leaking: Send = (url, init) => {
    leaked.push(services.redis.redis.duplicate());
    return fetch(url, init);
  };
  await expect(behave?.(openClient(services, runtime.url, leaking))).rejects.toBeInstanceOf(Error);
  for (const each of leaked) each.disconnect();
});
