import { ConfigError, readConfig } from "../shared/config.ts";
import { openTracer } from "../shared/open-tracer.ts";
import { warnOfRedisFaults } from "../shared/warn-of-redis-faults.ts";
import { createApp } from "./app.ts";
import { ApiConfig, listenUrl } from "./config.ts";
import { openBoard } from "./console/board.ts";
import { openDeps } from "./deps.ts";
import { listen } from "./listen.ts";
import { openMetrics } from "./metrics.ts";

/** The entry of the API on Node: reads the environment, opens what the app needs, listens, stops when it is told to. */
async function main(): Promise<void> {
  const config = readConfig(ApiConfig, process.env);
  const stopping = new AbortController();
  const deps = await openDeps(config, stopping.signal, { tracer: await openTracer("api", config) });
  void warnOfRedisFaults(deps);
  const metrics = await openMetrics(config, deps.logger);
  const server = await listen(createApp({ ...deps, board: openBoard(deps), metrics }).fetch, config);
  config.PORT = server.port;
  deps.logger.info({ url: deps.baseUrl() }, "API ready");
  process.send?.({ url: listenUrl(config) });
  const stop = () => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    const closed = server.close().then(deps.close);
    void closed.then(() => process.exit(0), fail);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
  // Whoever started this process with a channel to it wants it to end when they are gone.
  process.once("disconnect", stop);
}

function fail(error: unknown): never {
  const isUsers = error instanceof ConfigError;
  process.stderr.write(`${isUsers ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exit(isUsers ? 2 : 1);
}

main().catch(fail);
