import { once } from "node:events";
import { serve } from "@hono/node-server";
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import { listenFault } from "../shared/listen-fault.ts";
import { answerBeforeClose } from "./answer-before-close.ts";
import type { ApiConfig } from "./config.ts";

/** Milliseconds that requests in hand have to end after the server was closed. */
const DRAIN_MS = 10_000;

/** An app that is served over HTTP. */
export interface Listening {
  port: number;
  /** Takes no more requests and returns when those in hand have ended, after ten seconds at most. */
  close: () => Promise<void>;
}

/** Serves an app where the configuration says; returns when it listens. Throws ConfigError when it cannot. */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { HOST, PORT }: Pick<ApiConfig, "HOST" | "PORT">,
): Promise<Listening> {
  const server = serve({
    async fetch(request: Request, { incoming }: HttpBindings | Http2Bindings) {
      const response = await fetch(request);
      // The rest of such a body is never read, so no other request can follow it.
      return response.status === 413 ? answerBeforeClose(response, incoming) : response;
    },
    port: PORT,
    hostname: HOST,
  });
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw listenFault(error, { host: HOST, port: PORT, variables: { host: "HOST", port: "PORT" } });
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : PORT,
    async close() {
      const closed = once(server, "close");
      server.close();
      const timer = setTimeout(
        () => "closeAllConnections" in server && server.closeAllConnections(),
        DRAIN_MS,
      );
      await closed;
      clearTimeout(timer);
    },
  };
}
