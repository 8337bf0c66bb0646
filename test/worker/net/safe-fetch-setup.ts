import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener } from "node:http";
import type { Server as NetServer } from "node:net";
import { createSafeFetch } from "../../../worker/net/safe-fetch.ts";
import type { SafeFetch, SafeFetchRequest } from "../../../worker/net/safe-fetch.ts";

/** Options that let this machine be fetched from. */
export const LOCAL = { allowedPrivateNetworks: ["127.0.0.1/32"] };

/** What most fetches ask for. */
export const ASK: SafeFetchRequest = {
  timeoutMs: 5_000,
  maxBytes: 1_000,
  whenTooLarge: "throw",
  maxRedirects: 3,
};

const cleanUp: (() => unknown)[] = [];

/** Closes what a test opened; to be given to `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const step of cleanUp.splice(0).toReversed()) await step();
}

/** Opens a way out that is closed after the test. */
export function open(options: Parameters<typeof createSafeFetch>[0] = LOCAL): SafeFetch {
  const out = createSafeFetch(options);
  cleanUp.push(() => out.close());
  return out;
}

/** Writes over and over, slowly, until the test is over. */
export function trickle(write: () => unknown): void {
  const timer = setInterval(write, 20);
  cleanUp.push(() => clearInterval(timer));
}

/** Serves HTTP on this machine until the test is over, and tells the port. */
export async function serve(listener: (...asked: Parameters<RequestListener>) => unknown): Promise<number> {
  const server = createServer((request, response) => void listener(request, response));
  cleanUp.push(() => server.closeAllConnections());
  return listen(server);
}

/** Lets a server listen until the test is over, and tells the port. */
export async function listen(server: NetServer, host = "127.0.0.1", port = 0): Promise<number> {
  await once(server.listen(port, host), "listening");
  cleanUp.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has no port.");
  return address.port;
}

/** How often a server was reached. */
export interface Canary {
  connections: number;
}

/** A server that counts who reaches it. */
export async function canaryOn(
  host: string,
  port: number,
  canary: Canary = { connections: 0 },
): Promise<Canary> {
  const server = createServer((_, response) => void response.end("reached"));
  server.on("connection", () => canary.connections++);
  cleanUp.push(() => server.closeAllConnections());
  await listen(server, host, port);
  return canary;
}
