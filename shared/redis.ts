import { Cluster, Redis } from "ioredis";
import type { RedisOptions } from "ioredis";
import { parseManyHosts } from "./redis-url.ts";
import type { ManyRedisHosts } from "./redis-url.ts";

/** A connection to Redis or Valkey: to one, to the one that Sentinels name, or to a cluster. */
export type RedisClient = Redis | Cluster;

/** How a connection behaves while Redis is away: a worker waits for it, a request is answered with an error at once. */
export type RedisPatience = "wait" | "fail-fast";

/** Milliseconds that a request waits for Redis to answer one command. */
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Milliseconds without a byte, while an answer is due, after which a connection is given up and made again: a machine that
 * vanishes does not close its connections. A worker's longest wait for a job is 10 s.
 */
const SILENCE_MS: Record<RedisPatience, number> = { "fail-fast": ANSWER_TIMEOUT_MS, wait: 30_000 };

type NodeOptions = Omit<RedisOptions, "replyMapping"> & { lazyConnect: boolean };

const retryStrategy = (attempt: number) => Math.min(attempt * 100, 2_000);

/**
 * Opens a connection; it connects in the background and reconnects for ever.
 * @param url any form of `REDIS_URL`, such as `redis://[user:password@]host:port[/db]` or `rediss+cluster://host:port,host:port`
 * @param onError called for each connection error, so that none goes unheard
 * @param connect `when used` opens nothing before the first command; not for queues, which give up when that finds Redis away
 */
export function openRedis(
  url: string,
  patience: RedisPatience,
  onError: (error: Error) => void,
  connect: "at once" | "when used" = "at once",
): RedisClient {
  const options: NodeOptions = {
    maxRetriesPerRequest: patience === "wait" ? null : 1,
    ...(patience === "fail-fast" && { commandTimeout: ANSWER_TIMEOUT_MS }),
    socketTimeout: SILENCE_MS[patience],
    connectTimeout: 5_000,
    lazyConnect: connect === "when used",
    retryStrategy,
  };
  const many = parseManyHosts(url);
  const redis = many === undefined ? new GatheringRedis(url, options) : openMany(many, options);
  redis.on("error", onError);
  return redis;
}

function openMany(many: ManyRedisHosts, options: NodeOptions): RedisClient {
  const { hosts, username, password, sentinelPassword, service = "", db } = many;
  const node = {
    ...options,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(many.tls && { tls: {} }),
  };
  if (many.kind === "cluster") {
    return new PunctualCluster(hosts, {
      redisOptions: node,
      lazyConnect: options.lazyConnect,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshTimeout: 5_000,
      // Names go to the socket as they are: a certificate is for a name and not for the address that it has.
      dnsLookup: (name, found) => found(null, name),
    });
  }
  return new GatheringRedis({
    ...node,
    sentinels: hosts,
    name: service ?? "",
    db,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(many.tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelRetryStrategy: retryStrategy,
  });
}

/**
 * Sends the commands of one turn of the event loop with one write: each write is a trip into the kernel for both ends. With
 * BullMQ it is a fifth of a job's processor time (docs/performance.md). The nodes of a cluster are ioredis's own.
 */
class GatheringRedis extends Redis {
  override sendCommand(...sent: Parameters<Redis["sendCommand"]>): unknown {
    // There is none before the first connection.
    const stream: Redis["stream"] | undefined = this.stream;
    if (stream?.writableCorked === 0) {
      stream.cork();
      process.nextTick(() => stream.uncork());
    }
    return super.sendCommand(...sent);
  }
}

/** A cluster whose commands time out while none of its nodes can be reached, too: ioredis would keep them for ever. */
class PunctualCluster extends Cluster {
  override sendCommand(...sent: Parameters<Cluster["sendCommand"]>): unknown {
    const timeoutMs = this.options.redisOptions?.commandTimeout;
    if (timeoutMs !== undefined) sent[0].setTimeout(timeoutMs);
    return super.sendCommand(...sent);
  }
}

/** What is wrong with how this Redis is set up for keeping accepted work: a sentence each, none when all is well. */
export async function redisFaults(redis: RedisClient): Promise<string[]> {
  await redis.ping();
  const nodes = redis instanceof Cluster ? redis.nodes("master") : [redis];
  const faults = await Promise.all(nodes.map(async (node) => faultsIn(await node.info())));
  return [...new Set(faults.flat())];
}

function faultsIn(info: string): string[] {
  const faults: string[] = [];
  const [, version = "", major, minor] = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(info) ?? [];
  if (Number(major) * 100 + Number(minor) < 602)
    faults.push(`Redis ${version} is too old: Tresline needs Redis 6.2 or later, or Valkey.`);
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== "noeviction")
    faults.push(`Redis may drop accepted work: its maxmemory-policy is ${policy}; set it to noeviction.`);
  if (!/^aof_enabled:1/m.test(info))
    faults.push(
      "Redis forgets accepted work when it restarts: switch its append-only file on (appendonly yes).",
    );
  return faults;
}
