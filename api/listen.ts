import { once } from "node:events";
import { serve } from "@hono/node-server";
import { ConfigError } from "../shared/config.ts";
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
  const server = serve({ fetch, port: PORT, hostname: HOST });
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError(FAULTS[error.code ?? ""]?.(HOST, PORT) ?? error.message, { cause: error });
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

const notHere = (host: string) => `${host} is not an address of this machine; set HOST to one that is.`;

const FAULTS: Record<string, (host: string, port: number) => string> = {
  EADDRINUSE: (host, port) => `Port ${port} of ${host} is taken; set PORT to another.`,
  EACCES: (_host, port) => `Port ${port} may not be opened by this user; set PORT to one from 1024.`,
  EADDRNOTAVAIL: notHere,
  ENOTFOUND: notHere,
};
