import { expect, test } from "vitest";
import { CommonConfig, ConfigError, readConfig } from "../../shared/config.ts";
import { WorkerConfig } from "../../worker/config.ts";

function complaint(env: Record<string, string>): string {
  try {
    readConfig(WorkerConfig, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "none";
}

test("nothing has to be set", () => {
  expect(readConfig(WorkerConfig, {})).toMatchObject({
    REDIS_URL: "redis://127.0.0.1:6379",
    MODEL: "figures",
    DEVICE: "cpu",
    MAX_BATCH_SIZE: 32,
    WORKER_ROLES: ["classify", "deliver", "scan"],
    ALLOWED_PRIVATE_NETWORKS: [],
    S3_FORCE_PATH_STYLE: false,
  });
});

test("numbers, lists and flags are read as such; an empty variable counts as absent", () => {
  const env = {
    MAX_BATCH_SIZE: "8",
    WORKER_ROLES: "deliver, scan,",
    ALLOWED_PRIVATE_NETWORKS: "10.0.0.0/8,fd00::/8",
    S3_FORCE_PATH_STYLE: "true",
    MODEL: "",
    PATH: "/usr/bin",
  };
  const config = readConfig(WorkerConfig, env);
  expect(config).toMatchObject({
    MAX_BATCH_SIZE: 8,
    WORKER_ROLES: ["deliver", "scan"],
    ALLOWED_PRIVATE_NETWORKS: ["10.0.0.0/8", "fd00::/8"],
    S3_FORCE_PATH_STYLE: true,
    MODEL: "figures",
  });
  expect(config).not.toHaveProperty("PATH");
});

test.each([
  [{ MAX_BATCH_SIZE: "many" }, 'MAX_BATCH_SIZE must be a whole number from 1 to 1024 (it is "many").'],
  [{ MAX_BATCH_SIZE: "0" }, 'MAX_BATCH_SIZE must be a whole number from 1 to 1024 (it is "0").'],
  [{ MAX_BATCH_SIZE: "2048" }, 'MAX_BATCH_SIZE must be a whole number from 1 to 1024 (it is "2048").'],
  [{ MAX_BATCH_SIZE: "1.5" }, 'MAX_BATCH_SIZE must be a whole number from 1 to 1024 (it is "1.5").'],
  [{ DEVICE: "gpu" }, 'DEVICE must be one of cpu, cuda, webgpu (it is "gpu").'],
  [{ LOG_LEVEL: "loud" }, 'LOG_LEVEL must be one of fatal, error, warn, info, debug, silent (it is "loud").'],
  [{ S3_FORCE_PATH_STYLE: "yes" }, 'S3_FORCE_PATH_STYLE must be one of true, false (it is "yes").'],
  [
    { WORKER_ROLES: "classify,eat,sleep" },
    'WORKER_ROLES must be some of classify, deliver, scan, separated by commas (it is "classify,eat,sleep").',
  ],
  [
    { ALLOWED_PRIVATE_NETWORKS: "localhost" },
    'ALLOWED_PRIVATE_NETWORKS must be networks such as 10.0.0.0/8, separated by commas (it is "localhost").',
  ],
  [
    { MODEL: "../other:model" },
    'MODEL must be the name of a model, such as figures or tresnet_m, or NAME@sha256:DIGEST (it is "../other:model").',
  ],
])("%j is refused in one clear line", (env, line) => {
  expect(complaint(env)).toBe(line);
});

test("every variable that is wrong has a line", () => {
  const message = complaint({ DEVICE: "gpu", LOG_LEVEL: "loud", MAX_BATCH_SIZE: "-1" });
  expect(message.split("\n")).toHaveLength(3);
  for (const name of ["DEVICE", "LOG_LEVEL", "MAX_BATCH_SIZE"]) expect(message).toContain(`${name} must be`);
});

test("a value that may hold a password is never shown", () => {
  const message = complaint({ REDIS_URL: "http://user:hunter2@redis.example" });
  expect(message).toBe(
    "REDIS_URL must be redis://HOST:PORT, redis+cluster://HOST:PORT,… or redis+sentinel://HOST:PORT,…/SERVICE, or one of these with rediss.",
  );
  const Keyed = CommonConfig.extend({ API_KEY: CommonConfig.shape.REDIS_URL.unwrap() });
  expect(() => readConfig(Keyed, { API_KEY: "hunter2" })).toThrow(
    /^API_KEY must be redis:\/\/HOST:PORT, [^"]*$/,
  );
  expect(() => readConfig(Keyed, {})).toThrow("API_KEY is not set and is needed.");
});
