import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { openRedis } from "../../shared/redis.ts";
import { StartError } from "./start-error.ts";

/** A redis-server for this machine alone. */
export interface RedisServer {
  /** `redis://:password@127.0.0.1:port` */
  url: string;
  /** Stops it after it has written everything, unless somebody else is connected to it: the last one stops it. */
  stop: () => Promise<void>;
}

/**
 * Finds the redis-server that already serves `directory` or starts one there: on a free port of the loopback address,
 * with a password of its own and an append-only file, so that accepted work survives a restart.
 * @throws StartError when redis-server is not installed or does not start
 */
export async function startRedisServer(directory: string): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const urlFile = join(directory, "url");
  const running = await findRunning(urlFile);
  if (running !== undefined) return { url: running, stop: () => stopUnlessUsed(running, urlFile) };
  const password = randomBytes(24).toString("base64url");
  const port = await freePort();
  const child = await launch(`
    bind 127.0.0.1
    port ${port}
    requirepass ${password}
    dir ${JSON.stringify(resolve(directory))}
    appendonly yes
    maxmemory-policy noeviction
    save ""
  `);
  const url = `redis://:${password}@127.0.0.1:${port}`;
  writeFileSync(urlFile, url, { mode: 0o600 });
  // An end of ours that stops nothing, such as a second Ctrl-C, must not leave it behind.
  const kill = () => void child.kill("SIGTERM");
  process.once("exit", kill);
  return {
    url,
    async stop() {
      process.off("exit", kill);
      await stopUnlessUsed(url, urlFile);
    },
  };
}

async function stopUnlessUsed(url: string, urlFile: string): Promise<void> {
  const redis = openRedis(url, "fail-fast", () => {});
  try {
    const clients = String(await redis.call("CLIENT", "LIST", "TYPE", "normal"))
      .trim()
      .split("\n");
    if (clients.length > 1) return;
    rmSync(urlFile, { force: true });
    await redis.shutdown();
  } catch {
    // It is gone: what was to be done is done.
  } finally {
    redis.disconnect();
  }
}

async function launch(config: string): Promise<ChildProcess> {
  // A process group of its own, so that a Ctrl-C in the terminal does not stop it before those who use it.
  const child = spawn("redis-server", ["-"], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  child.stdin.on("error", () => {});
  child.stdin.end(config);
  let said = "";
  const { promise: isReady, resolve: ready, reject } = Promise.withResolvers<void>();
  child.once("error", (error: NodeJS.ErrnoException) =>
    reject(error.code === "ENOENT" ? notInstalled() : error),
  );
  child.once("exit", () =>
    reject(new StartError(`redis-server stopped while it started. It said:\n${said}`)),
  );
  child.stdout.on("data", (data: Buffer) => {
    said = (said + data.toString()).slice(-4_000);
    if (said.includes("Ready to accept connections")) ready();
  });
  await isReady;
  child.stdout.removeAllListeners("data").resume();
  child.removeAllListeners("exit");
  child.unref();
  return child;
}

async function findRunning(urlFile: string): Promise<string | undefined> {
  const url = readIfThere(urlFile);
  if (url === undefined) return undefined;
  const redis = openRedis(url, "fail-fast", () => {});
  const isThere = await redis.ping().then(
    () => true,
    () => false,
  );
  redis.disconnect();
  return isThere ? url : undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const notInstalled = () =>
  new StartError(`redis-server is not installed. Install it and start again:

  sudo apt-get install redis-server     (Debian, Ubuntu)
  brew install redis                    (macOS)

Or set REDIS_URL to a Redis that you have.`);
