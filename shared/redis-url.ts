/** Several addresses of one Redis, as `REDIS_URL` tells them: nodes of a Redis Cluster, or Sentinels that know where it is. */
export interface ManyRedisHosts {
  kind: "cluster" | "sentinel";
  hosts: { host: string; port: number }[];
  /** The name that Sentinels know the Redis by; a cluster has none. */
  service: string | undefined;
  db: number;
  username: string | undefined;
  password: string | undefined;
  /** What Sentinels themselves ask for; undefined when they ask for nothing. */
  sentinelPassword: string | undefined;
  tls: boolean;
}

const ONE = /^rediss?:\/\/[^/]/;
const CREDENTIALS = String.raw`(?:(?<username>[^:@/]*):(?<password>[^@/]*)@)?`;
const HOST = String.raw`(?:\[[0-9a-fA-F:.]+\]|[^:@/?#,[\]]+)(?::\d{1,5})?`;
const HOSTS = `(?<hosts>${HOST}(?:,${HOST})*)`;
const CLUSTER = new RegExp(String.raw`^redis(?<tls>s?)\+cluster://${CREDENTIALS}${HOSTS}/?$`);
const SENTINEL = new RegExp(
  String.raw`^redis(?<tls>s?)\+sentinel://${CREDENTIALS}${HOSTS}/(?<service>[^/?]+)(?:/(?<db>\d+))?(?:\?sentinel_password=(?<sentinelPassword>.+))?$`,
);

/** Whether a text is one of the forms that `REDIS_URL` may have. */
export const isRedisUrl = (text: string): boolean =>
  ONE.test(text) || CLUSTER.test(text) || SENTINEL.test(text);

/**
 * The addresses in `redis+cluster://[user:password@]host[:port],…` or `redis+sentinel://[user:password@]host[:port],…/service[/db]`,
 * each also as `rediss+…` for TLS; undefined for an address of one Redis. Credentials are percent-encoded, as in any URL.
 */
export function parseManyHosts(url: string): ManyRedisHosts | undefined {
  const cluster = CLUSTER.exec(url)?.groups;
  const found = cluster ?? SENTINEL.exec(url)?.groups;
  if (found === undefined) return undefined;
  const kind = cluster === undefined ? "sentinel" : "cluster";
  const defaultPort = kind === "cluster" ? 6379 : 26_379;
  return {
    kind,
    hosts: (found["hosts"] ?? "").split(",").map((text) => {
      const [, host = "", port] = /^(.+?)(?::(\d+))?$/.exec(text) ?? [];
      return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port ?? defaultPort) };
    }),
    service: found["service"],
    db: Number(found["db"] ?? 0),
    username: decoded(found["username"]),
    password: decoded(found["password"]),
    sentinelPassword: decoded(found["sentinelPassword"]),
    tls: found["tls"] === "s",
  };
}

const decoded = (text: string | undefined) => (text ? decodeURIComponent(text) : undefined);
