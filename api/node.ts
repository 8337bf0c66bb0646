import { serve } from "@hono/node-server";
import { ConfigError, readConfig } from "../shared/config.ts";
import { createApp } from "./app.ts";
import { ApiConfig, listenUrl } from "./config.ts";
import { openDeps } from "./deps.ts";

/** Milliseconds that requests in hand have to end after the process was told to stop. */
const DRAIN_MS = 10_000;

/** The entry of the API on Node: reads the environment, opens what the app needs, listens, stops when it is told to. */
async function main(): Promise<void> {
  const config = readConfig(ApiConfig, process.env);
  const stopping = new AbortController();
  const deps = await openDeps(config, stopping.signal);
  const { fetch } = createApp(deps);
  const server = serve({ fetch, port: config.PORT, hostname: config.HOST }, ({ port }) => {
    config.PORT = port;
    deps.logger.info({ url: deps.baseUrl() }, "API ready");
    process.send?.({ url: listenUrl(config) });
  });
  server.once("error", (error: NodeJS.ErrnoException) => fail(toConfigError(error, config)));
  const stop = () => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    server.close(() => void deps.close().then(() => process.exit(0), fail));
    setTimeout(() => "closeAllConnections" in server && server.closeAllConnections(), DRAIN_MS).unref();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
  // Whoever started this process with a channel to it wants it to end when they are gone.
  process.once("disconnect", stop);
}

function toConfigError(error: NodeJS.ErrnoException, { HOST, PORT }: ApiConfig): Error {
  if (error.code === "EADDRINUSE")
    return new ConfigError(`Port ${PORT} of ${HOST} is taken; set PORT to another.`);
  if (error.code === "EACCES")
    return new ConfigError(`Port ${PORT} may not be opened by this user; set PORT to one from 1024.`);
  if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND")
    return new ConfigError(`${HOST} is not an address of this machine; set HOST to one that is.`);
  return error;
}

function fail(error: unknown): never {
  const isUsers = error instanceof ConfigError;
  process.stderr.write(
    `${error instanceof Error ? (isUsers ? error.message : error.stack) : String(error)}\n`,
  );
  process.exit(isUsers ? 2 : 1);
}

main().catch(fail);
