import { serve } from "@hono/node-server";
import { ConfigError, readConfig } from "../shared/config.ts";
import { createApp } from "./app.ts";
import { ApiConfig } from "./config.ts";
import { openDeps } from "./deps.ts";

/** The entry of the API on Node: reads the environment, opens what the app needs, listens, stops when it is told to. */
async function main(): Promise<void> {
  const config = readConfig(ApiConfig, process.env);
  const deps = await openDeps(config);
  const { fetch } = createApp(deps);
  const server = serve({ fetch, port: config.PORT, hostname: config.HOST }, ({ port }) => {
    config.PORT = port;
    deps.logger.info({ url: deps.baseUrl() }, "API ready");
    process.send?.({ url: `http://${config.HOST}:${port}` });
  });
  server.once("error", fail);
  const stop = () => server.close(() => void deps.close().then(() => process.exit(0), fail));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
  // Whoever started this process with a channel to it wants it to end when they are gone.
  process.once("disconnect", stop);
}

function fail(error: unknown): never {
  const isUsers = error instanceof ConfigError || (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  process.stderr.write(
    `${error instanceof Error ? (isUsers ? error.message : error.stack) : String(error)}\n`,
  );
  process.exit(isUsers ? 2 : 1);
}

main().catch(fail);
