import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import { readConfig } from "../shared/config.ts";
import { createApp } from "./app.ts";
import { closeAfter } from "./close-after.ts";
import { EdgeConfig } from "./config.ts";
import { openDeps } from "./deps.ts";
import { takeBucketEvents } from "./take-bucket-events.ts";

type Bindings = Record<string, string>;
type Message = { body: unknown; ack(): void; retry(): void };

/** A socket cannot outlive the request that opened it, so each request opens what it needs. */
async function open(env: Bindings) {
  const config = readConfig(EdgeConfig, env);
  const deps = await openDeps(config, new AbortController().signal, {
    requestHandler: new FetchHttpHandler(),
  });
  return { app: createApp(deps), apiKey: config.API_KEY, close: deps.close };
}

/** The entry of the API on Cloudflare Workers: answers HTTP requests, and takes events of R2 from a queue. */
export default {
  async fetch(request: Request, env: Bindings, context: { waitUntil(work: Promise<unknown>): void }) {
    const { app, close } = await open(env);
    const response = await app.fetch(request, env);
    return closeAfter(response, close, (work) => context.waitUntil(work));
  },
  async queue({ messages }: { messages: readonly Message[] }, env: Bindings) {
    const { app, apiKey, close } = await open(env);
    const taken = messages.map((message) => {
      const taking = takeBucketEvents(app, apiKey, message.body);
      return taking.then(() => message.ack()).catch(() => message.retry());
    });
    await Promise.all(taken);
    await close();
  },
};
