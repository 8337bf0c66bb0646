import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How S3 behaves. */
export type S3Mode = "pass" | "slow-down" | "silent" | "answers-lost";

/** An S3 server that stands before another and can behave badly. */
export interface S3Proxy {
  /** `http://127.0.0.1:port` */
  url: string;
  /** Behaves so from now on; what was kept waiting is cut off. */
  behave: (mode: S3Mode) => void;
  stop: () => Promise<void>;
}

const SLOW_DOWN =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';

/** Starts one before the S3 server at `target`. Signatures hold, since the Host that was signed is passed on. */
export async function startS3Proxy(target: string): Promise<S3Proxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: true });
  let mode: S3Mode = "pass";
  const waiting = new Set<ServerResponse>();
  const pass = (asked: IncomingMessage, answer: ServerResponse, isLost: boolean) => {
    const passed = request({
      hostname,
      port,
      agent,
      method: asked.method,
      path: asked.url,
      headers: asked.headers,
    });
    passed.once("error", () => answer.destroy());
    passed.once("response", (answered) => {
      if (isLost) {
        answered.resume();
        answer.destroy();
        return;
      }
      answer.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
      answered.pipe(answer);
    });
    asked.pipe(passed);
  };
  const server = createServer((asked, answer) => {
    if (mode === "slow-down") {
      asked.resume();
      answer
        .writeHead(503, { "content-type": "application/xml" })
        .end(asked.method === "HEAD" ? "" : SLOW_DOWN);
    } else if (mode === "silent") waiting.add(answer);
    else pass(asked, answer, mode === "answers-lost" && Math.random() < 0.5);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const release = () => {
    for (const answer of waiting) answer.destroy();
    waiting.clear();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behave(next) {
      mode = next;
      release();
    },
    async stop() {
      release();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      agent.destroy();
    },
  };
}
