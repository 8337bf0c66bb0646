import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** What is in the file that is served unless the test has one of its own. */
export const CONTENT = randomBytes(300_000);

/** How a server answers one request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A server whose n-th answer is the n-th behaviour, the last one again and again; `ranges` are the Range headers it saw, `paths` what was asked for. */
export async function serve(...behaviours: Behaviour[]) {
  const ranges: (string | undefined)[] = [];
  const paths: string[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    paths.push(request.url ?? "");
    void behaviours[Math.min(ranges.length, behaviours.length) - 1]?.(request, response);
  });
  return { url: await listen(server), ranges, paths };
}

/** Lets a server listen on the loopback address until the test has finished; gives its URL. */
export async function listen(server: Server): Promise<string> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves the content as a good file server does: ranges, a strong ETag, If-Range. */
export const file =
  (content = CONTENT, etag = '"v1"'): Behaviour =>
  ({ headers }, response) => {
    const range = /^bytes=(\d+)-$/.exec(headers.range ?? "");
    const from = range && (headers["if-range"] ?? etag) === etag ? Number(range[1]) : 0;
    if (from > 0 && from >= content.length)
      return void response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    const body = content.subarray(from);
    const partial =
      from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {};
    return void response
      .writeHead(from > 0 ? 206 : 200, { etag, "content-length": body.length, ...partial })
      .end(body);
  };
