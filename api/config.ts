import { z } from "zod";
import { CommonConfig, wholeNumber } from "../shared/config.ts";

/** What the API reads from its environment. */
export const ApiConfig = CommonConfig.extend({
  PORT: wholeNumber(0, 65_535)
    .default(8080)
    .meta({ description: "Where the API listens; 0 takes a free port." }),
  HOST: z
    .string()
    .default("127.0.0.1")
    .meta({ description: "The address the API listens at; `0.0.0.0` for all." }),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .transform((url) => url.replace(/\/+$/, ""))
    .optional()
    .meta({
      description:
        "What the links in answers and callbacks begin with; `http://HOST:PORT` when it is not set.",
    }),
  API_KEY: z
    .string()
    .regex(/^[!-~]{16,}$/, "must have at least 16 characters, none of them a space")
    .meta({
      description:
        "The service's own key, which allows everything and makes other keys. `npm start` makes one and keeps it in `DATA_DIR/api-key`.",
    }),
  MAX_BODY_BYTES: wholeNumber(1024, 1_000_000_000)
    .default(32_000_000)
    .meta({ description: "The largest body of a request, and the largest upload, in bytes." }),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0, 1_000_000).default(0).meta({
    description: "How many requests a key may send a minute; 0 for any number.",
  }),
  MAX_BACKLOG_SECONDS: wholeNumber(0, 86_400).default(0).meta({
    description:
      "How long the oldest image of a lane may have waited for a worker, in seconds, before more for that lane is answered 503; 0 takes everything.",
  }),
  MAX_ANSWER_SECONDS: wholeNumber(0, 3_600).default(0).meta({
    description:
      "How long an answer may take, in seconds, where a gateway or a function ends requests after that: a wait for a result ends sooner, and so does a stream of events, which clients go on with; 0 for no such limit.",
  }),
  S3_EVENTS_TOKEN: z
    .string()
    .regex(/^[!-~]{16,}$/, "must have at least 16 characters, none of them a space")
    .optional()
    .meta({
      description:
        "What buckets send with their events to `/v1/events/s3`; without it that takes only the API key.",
    }),
});
export type ApiConfig = z.infer<typeof ApiConfig>;

/** The same where there are no files and no address of its own: on AWS Lambda and Cloudflare Workers. */
export const EdgeConfig = ApiConfig.required({ PUBLIC_URL: true }).extend({
  STORAGE_URL: z.string().regex(/^s3:/, "must be s3://BUCKET/PREFIX: there are no files here"),
});

/** Where the API itself listens, without a slash at the end. */
export const listenUrl = ({ HOST, PORT }: Pick<ApiConfig, "HOST" | "PORT">): string =>
  `http://${HOST.includes(":") ? `[${HOST}]` : HOST}:${PORT}`;
