import { createReadStream } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import type { DemoImage } from "./find-images.ts";

/** A signed message as it came, its signature verified. */
export interface VerifiedCallback {
  id: string;
  type: string;
}

/** What the demo plays besides Tresline: the web server that has the pictures, and the one that wants to be told. */
export interface Receiver {
  imageUrl: (index: number) => string;
  callbackUrl: string;
  /** Resolves with the first callback; rejects when its signature is not that of `secret`. */
  callback: (secret: string) => Promise<VerifiedCallback>;
  close: () => void;
}

/** A callback as it came: the raw body, which is what is signed. */
interface Received {
  body: string;
  headers: Record<string, string>;
}

/** Starts it on a free port of the loopback address. */
export async function startReceiver(images: readonly DemoImage[]): Promise<Receiver> {
  const { promise: received, resolve } = Promise.withResolvers<Received>();
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      resolve(receive(request, response));
      return;
    }
    const image = images[Number(request.url?.split("/").at(-1))];
    if (image === undefined) response.writeHead(404).end();
    else
      createReadStream(image.path)
        .on("error", () => response.destroy())
        .pipe(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    imageUrl: (index) => `${origin}/images/${index}`,
    callbackUrl: `${origin}/callback`,
    async callback(secret) {
      const { body, headers } = await received;
      const event = new Webhook(secret).verify(body, headers) as { type: string };
      return { id: headers["webhook-id"] ?? "", type: event.type };
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<Received> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  response.writeHead(204).end();
  return { body: Buffer.concat(chunks).toString(), headers: request.headers as Record<string, string> };
}
