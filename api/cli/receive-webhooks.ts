import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { WebhookEvent } from "../../shared/contracts/webhook-event.ts";
import { TreslineError } from "../client/tresline-error.ts";
import { verifyWebhook } from "../client/verify-webhook.ts";
import { UsageError } from "./command.ts";

/** The largest message that is read, in bytes: more than ten times what Tresline sends. */
const MAX_BYTES = 256 * 1024;
/** Milliseconds that the address may take to which messages are passed on: as long as Tresline itself waits. */
const FORWARD_MS = 15_000;

/** What is done with messages. */
export interface Receiving {
  port: number;
  secrets: readonly string[];
  /** Where messages are passed on to as they came; nowhere when undefined. */
  forward: string | undefined;
  /** Told of each message that is genuine, and what the address answered that it was passed on to. */
  onEvent: (event: WebhookEvent, forwarded: string | undefined) => void;
  /** Told why another one was refused. */
  onRefusal: (detail: string) => void;
}

/** Something that receives, and where. */
export interface Receiver {
  url: string;
  close: () => void;
}

/** Receives webhooks on the loopback address. Answers 204, 400 to what is not genuine, or what `forward` answered. Throws UsageError when the port is taken. */
export function receiveWebhooks({
  port,
  secrets,
  forward,
  onEvent,
  onRefusal,
}: Receiving): Promise<Receiver> {
  const app = new Hono();
  app.post("*", bodyLimit({ maxSize: MAX_BYTES }), async (c) => {
    const body = await c.req.arrayBuffer();
    try {
      const event = await verifyWebhook(body, c.req.raw.headers, secrets);
      const passedOn = forward === undefined ? undefined : await passOn(forward, body, c.req.raw.headers);
      onEvent(event, passedOn?.said);
      return new Response(null, { status: passedOn?.status ?? 204 });
    } catch (error) {
      if (!(error instanceof TreslineError)) throw error;
      onRefusal(error.detail);
      return c.text(error.detail, 400);
    }
  });
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, (address) => {
      resolve({ url: `http://127.0.0.1:${address.port}`, close: () => closeNow(server) });
    });
    server.once("error", ({ message }: Error) =>
      reject(new UsageError(`Port ${port} cannot be listened at: ${message}.`)),
    );
  });
}

function closeNow(server: ReturnType<typeof serve>): void {
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
}

/** What is told of an address that messages are passed on to, and what Tresline is to be answered for it. */
async function passOn(url: string, body: ArrayBuffer, headers: Headers) {
  const kept = [...headers].filter(([name]) => name.startsWith("webhook-") || name === "content-type");
  try {
    const signal = AbortSignal.timeout(FORWARD_MS);
    const { status } = await fetch(url, { method: "POST", body, headers: kept, redirect: "manual", signal });
    return { status, said: `${status}` };
  } catch (error) {
    const { message, cause } = error as Error;
    return { status: 502, said: cause instanceof Error ? cause.message : message };
  }
}
