import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request as it arrived: `body` is the raw text. */
export interface ReceivedRequest {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What to answer; `hang` never answers. */
export type TestAnswer = { status: number; headers?: Record<string, string>; body?: Uint8Array } | "hang";

/** An HTTP server on the loopback address and what it was asked. */
export interface TestServer {
  /** `http://127.0.0.1:port` */
  url: string;
  received: ReceivedRequest[];
  stop: () => Promise<void>;
}

/** Starts one; to be stopped in `afterAll`. */
export async function startTestServer(
  answer: (request: ReceivedRequest) => TestAnswer | Promise<TestAnswer>,
): Promise<TestServer> {
  const received: ReceivedRequest[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await buffer(request)).toString("utf8");
    const whole = { path: request.url ?? "", headers: request.headers, body };
    received.push(whole);
    const given = await answer(whole);
    if (given !== "hang") response.writeHead(given.status, given.headers).end(given.body);
  };
  const server = createServer((request, response) => void serve(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
