import * as z from "zod";
import { BucketName } from "./contracts/image.ts";
import { isRedisUrl } from "./redis-url.ts";

/** The environment does not make sense. The message has a line for each variable that is wrong. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** A whole number in a variable. */
export const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum,
      `must be a whole number from ${minimum} to ${maximum}`,
    )
    .transform(Number);

/** A list in a variable, separated by commas. */
export const commaList = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);

/** Yes or no in a variable. */
export const flag = z.enum(["true", "false"]).transform((text) => text === "true");

/** How long a worker that is told to stop finishes what is in hand, in seconds. */
export const drainSeconds = wholeNumber(0, 3_600).default(25);

/** What every process reads. */
export const CommonConfig = z.object({
  REDIS_URL: z
    .string()
    .refine(
      isRedisUrl,
      "must be redis://HOST:PORT, redis+cluster://HOST:PORT,… or redis+sentinel://HOST:PORT,…/SERVICE, or one of these with rediss",
    )
    .default("redis://127.0.0.1:6379")
    .meta({
      description:
        "Redis or Valkey: `redis://HOST:PORT`, a cluster by `redis+cluster://HOST:PORT,…`, Sentinels by `redis+sentinel://HOST:PORT,…/SERVICE`; `rediss…` for TLS. `npm start` runs one of its own in `DATA_DIR` when it is not set.",
    }),
  STORAGE_URL: z.string().default("file:./data/storage").meta({
    description:
      "Where results are kept: `file:DIRECTORY` or `s3://BUCKET/PREFIX`; endpoint, region and credentials are the AWS SDK's own variables.",
  }),
  RETENTION_DAYS: wholeNumber(0, 36_500).default(0).meta({
    description:
      "How many days results, batches and uploads are kept from when they were made; 0 keeps them until somebody deletes them.",
  }),
  S3_FORCE_PATH_STYLE: flag.default(false).meta({
    description:
      "`true` puts the bucket in the path instead of the host name, as most S3 servers other than AWS want it.",
  }),
  S3_SOURCE_BUCKETS: commaList.pipe(z.array(BucketName)).default([]).meta({
    description:
      "The buckets, separated by commas, that images and manifests may be read from, with the AWS SDK's own variables; none by default.",
  }),
  MODEL: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9_.-]{0,99}(@sha256:[0-9a-f]{64})?$/,
      "must be the name of a model, such as figures or tresnet_m, or NAME@sha256:DIGEST",
    )
    .default("figures")
    .meta({
      description:
        "The model a worker serves and the API labels with by default: `figures`, `cifar10`, or a name in `MODELS_URL` or else under `MODELS_DIR`. `NAME@sha256:DIGEST` is one version of a repository's.",
    }),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "silent"])
    .default("info")
    .meta({ description: "The least important line that is logged." }),
  METRICS_PORT: wholeNumber(0, 65_535).optional().meta({
    description:
      "Where metrics are served for Prometheus, as `GET /metrics` at a port of their own; nowhere when it is not set, 0 takes a free port. Of `npm start` the API takes it, the worker the one after it.",
  }),
  METRICS_HOST: z.string().default("127.0.0.1").meta({
    description:
      "The address that metrics are served at; `0.0.0.0` for all. Whoever reaches the port may read them.",
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .optional()
    .meta({
      description:
        "A collector that is told of traces by OTLP over HTTP, such as `http://127.0.0.1:4318`; nobody is when it is not set. On AWS Lambda and Cloudflare Workers traces are passed on and not told.",
    }),
});

/**
 * Reads a process's configuration from its environment. An empty variable counts as absent.
 * @throws ConfigError naming every variable that is wrong
 */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  const given = Object.keys(schema.shape).flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  const parsed = schema.safeParse(Object.fromEntries(given), { error: notOneOf });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    const value = /KEY|TOKEN|SECRET|URL/.test(name) ? "" : ` (it is "${env[name] ?? ""}")`;
    return env[name] ? `${name} ${message}${value}.` : `${name} is not set and is needed.`;
  });
  throw new ConfigError([...new Set(lines)].join("\n"));
}

/** What is said of a word that is not one of those allowed; zod says the rest in the words of each variable. */
function notOneOf({ code, values }: { code?: string; values?: unknown }): string | undefined {
  return code === "invalid_value" && Array.isArray(values)
    ? `must be one of ${values.join(", ")}`
    : undefined;
}
