import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyWebhook } from "../../api/client/verify-webhook.ts";
import { BROKEN, PICTURES } from "./pictures.ts";

/** A message as it came to the receiver. */
export interface Delivery {
  path: string;
  messageId: string;
  body: string;
  /** Whether it was answered with 2xx, which ends it. */
  isTaken: boolean;
  /** Why it cannot be trusted, if so. */
  fault: string | undefined;
}

/** What is outside of the service: a server of pictures, which is always there, and a receiver of messages, which may flap. */
export interface Outside {
  /** `http://127.0.0.1:port`; pictures are at `/pictures/NAME`, messages go to `/hooks/…`. */
  url: string;
  deliveries: Delivery[];
  /** Of whoever signs messages from now on. */
  trust: (secret: string) => void;
  /** Flaps until it is told not to; what hangs is cut off then. */
  flap: (flaps: boolean) => void;
  stop: () => Promise<void>;
}

/** Milliseconds until a picture is sent, at most: so that some are always under way. */
const LATENCY_MS = 120;
/** The ways of a receiver that flaps. In the last it has taken the message, and its sender does not know. */
const WAYS = ["take", "500", "429", "reset", "hang", "take-and-reset"] as const;

/** Starts it. */
export async function startOutside(): Promise<Outside> {
  const deliveries: Delivery[] = [];
  const pictures = new Map([...PICTURES, ...BROKEN].map((picture) => [`/pictures/${picture.name}`, picture]));
  const hanging = new Set<ServerResponse>();
  let secret = "";
  let flaps = false;

  const sendPicture = async (path: string, answer: ServerResponse) => {
    await sleep(Math.random() * LATENCY_MS);
    const picture = pictures.get(path);
    if (picture === undefined) answer.writeHead(404).end();
    else answer.writeHead(200, { "content-type": picture.mediaType }).end(picture.bytes);
  };
  const receive = async (path: string, asked: IncomingMessage, answer: ServerResponse) => {
    const body = (await buffer(asked)).toString("utf8");
    const way = flaps ? (WAYS[Math.floor(Math.random() * WAYS.length)] ?? "take") : "take";
    const fault = await verifyWebhook(body, asked.headers, secret).then(() => undefined, String);
    const messageId = String(asked.headers["webhook-id"]);
    deliveries.push({ path, messageId, body, isTaken: way === "take", fault });
    if (way === "take") answer.writeHead(204).end();
    else if (way === "500") answer.writeHead(500).end();
    else if (way === "429") answer.writeHead(429, { "retry-after": "1" }).end();
    else if (way === "hang") hanging.add(answer);
    else answer.destroy();
  };
  const server = createServer((asked, answer) => {
    const path = asked.url ?? "";
    const serving = path.startsWith("/hooks/") ? receive(path, asked, answer) : sendPicture(path, answer);
    serving.catch(() => answer.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cutOff = () => {
    for (const answer of hanging) answer.destroy();
    hanging.clear();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliveries,
    trust: (next) => void (secret = next),
    flap(next) {
      flaps = next;
      if (!flaps) cutOff();
    },
    async stop() {
      cutOff();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
