import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What became of an invocation. */
export type Outcome = { result: unknown } | { error: string };

/** The service's side of Lambda's Runtime API, from which execution environments take invocations. */
export interface LambdaService {
  /** `host:port`, as environments are told it. */
  address: string;
  /** Resolves when an environment has asked for its first invocation. */
  ready: Promise<void>;
  /** Has one environment, whichever is idle first, handle an event. */
  invoke: (event: unknown) => Promise<Outcome>;
  stop: () => Promise<void>;
}

interface Invocation {
  id: string;
  event: string;
  settle: (outcome: Outcome) => void;
}

/** Starts it. */
export async function startLambdaService(): Promise<LambdaService> {
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  const waiting: Invocation[] = [];
  const idle: ServerResponse[] = [];
  const inHand = new Map<string, Invocation>();

  const dispatch = () => {
    while (waiting.length > 0 && idle.length > 0) {
      const [invocation, response] = [waiting.shift(), idle.shift()];
      if (invocation === undefined || response === undefined) return;
      inHand.set(invocation.id, invocation);
      response.writeHead(200, {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": invocation.id,
        "lambda-runtime-deadline-ms": String(Date.now() + 30_000),
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:123456789012:function:tresline",
      });
      response.end(invocation.event);
    }
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const [id = "", verb] = (request.url ?? "").split("/runtime/invocation/")[1]?.split("/") ?? [];
    if (id === "next") {
      isReady();
      idle.push(response);
      dispatch();
      return;
    }
    const body = await text(request);
    const invocation = inHand.get(id);
    inHand.delete(id);
    invocation?.settle(verb === "response" ? { result: JSON.parse(body) } : { error: body });
    response.writeHead(202).end("{}");
  };
  const server: Server = createServer((request, response) => void serve(request, response)).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready,
    invoke: (event) =>
      new Promise((settle) => {
        waiting.push({ id: randomUUID(), event: JSON.stringify(event), settle });
        dispatch();
      }),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
