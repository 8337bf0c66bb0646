import { expect, test } from "vitest";
import { isRedisUrl, parseManyHosts } from "../../shared/redis-url.ts";

const NOTHING = {
  service: undefined,
  db: 0,
  username: undefined,
  password: undefined,
  sentinelPassword: undefined,
  tls: false,
};

test.each([
  [
    "redis+cluster://a:7000,b,[::1]:7002",
    {
      ...NOTHING,
      kind: "cluster",
      hosts: [
        { host: "a", port: 7000 },
        { host: "b", port: 6379 },
        { host: "::1", port: 7002 },
      ],
    },
  ],
  [
    "rediss+cluster://tresline:p%40ss@cache.example:6380/",
    {
      ...NOTHING,
      kind: "cluster",
      hosts: [{ host: "cache.example", port: 6380 }],
      username: "tresline",
      password: "p@ss",
      tls: true,
    },
  ],
  [
    "redis+sentinel://:pass@a,b:1/main/3?sentinel_password=s%3D1",
    {
      ...NOTHING,
      kind: "sentinel",
      hosts: [
        { host: "a", port: 26_379 },
        { host: "b", port: 1 },
      ],
      service: "main",
      db: 3,
      password: "pass",
      sentinelPassword: "s=1",
    },
  ],
])("%s names several hosts", (url, parsed) => {
  expect(isRedisUrl(url)).toBe(true);
  expect(parseManyHosts(url)).toEqual(parsed);
});

test.each(["redis://a:6379/1", "rediss://user:pass@a", "redis://[::1]:6379"])("%s is one Redis", (url) => {
  expect(isRedisUrl(url)).toBe(true);
  expect(parseManyHosts(url)).toBeUndefined();
});

test.each([
  "",
  "http://a:6379",
  "redis://",
  "redis+cluster://",
  "redis+cluster://a:b",
  "redis+cluster://a,",
  "redis+cluster://a/1",
  "redis+sentinel://a:26379",
  "redis+other://a",
])("%j is not understood", (url) => {
  expect(isRedisUrl(url)).toBe(false);
});
