import { describe, expect, test } from "vitest";
import { ApiConfig } from "../../../api/config.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { OVERLAYS } from "./read-manifests.ts";
import { readOverlay, source, variable } from "./read-overlay.ts";

/** What the secret holds, as the processes would take it. */
const SECRETS: Record<string, string> = {
  REDIS_URL: "redis://redis:6379",
  API_KEY: "a-key-of-at-least-16",
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
};
/** What libraries read from the environment by themselves. */
const OF_OTHERS = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_REGION",
  "AWS_ENDPOINT_URL_S3",
  "UV_THREADPOOL_SIZE",
];

describe.each(OVERLAYS)("the overlay %s", (name) => {
  const { deployments, settings } = readOverlay(name);

  test("every variable is one that the process reads, and what they are together makes sense to it", () => {
    for (const { name: of, container } of deployments) {
      const config = of === "api" ? ApiConfig : WorkerConfig;
      const given = Object.fromEntries([
        ...Object.entries(settings),
        ...container.env.map(({ name: key, value }) => [key, value ?? SECRETS[key]] as const),
      ]);
      const known = [...Object.keys(config.shape), ...OF_OTHERS];
      expect(Object.keys(given).filter((key) => !known.includes(key) && !(key in settings))).toEqual([]);
      const own = Object.entries(given).filter(([key, value]) => key in config.shape && value !== "");
      expect(config.safeParse(Object.fromEntries(own)).error, of).toBeUndefined();
    }
    const read = [...Object.keys(ApiConfig.shape), ...Object.keys(WorkerConfig.shape), ...OF_OTHERS];
    expect(Object.keys(settings).filter((key) => !read.includes(key))).toEqual([]);
  });

  test("no secret stands in a manifest, and the workers do not have the API's key", () => {
    for (const { name: of, container } of deployments) {
      const secrets = container.env.filter((each) => each.valueFrom !== undefined);
      expect(secrets.map((each) => each.name).filter((key) => !(key in SECRETS))).toEqual([]);
      for (const each of secrets) expect(each.valueFrom?.secretKeyRef.key).toBe(each.name);
      expect(secrets.some((each) => each.name === "API_KEY")).toBe(of === "api");
      expect(variable(container, "API_KEY")).toBeUndefined();
    }
  });
});

test("the secret that docs/kubernetes.md makes has every key that is asked for", () => {
  const doc = source("docs/kubernetes.md");
  for (const key of [...Object.keys(SECRETS), "SCALER_KEY"]) expect(doc).toContain(`--from-literal=${key}=`);
});
