import { z } from "zod";
import { CommonConfig, commaList, drainSeconds, wholeNumber } from "../shared/config.ts";

const ROLES = ["classify", "deliver", "scan"] as const;
/** What a worker process does. */
export type Role = (typeof ROLES)[number];

/** What a worker reads from its environment. */
export const WorkerConfig = CommonConfig.extend({
  WORKER_ROLES: commaList
    .pipe(z.array(z.enum(ROLES, `must be some of ${ROLES.join(", ")}, separated by commas`)).min(1))
    .default([...ROLES])
    .meta({
      description:
        "What this worker does: `classify` images, `deliver` callbacks, `scan` the sources of batches.",
    }),
  MODELS_DIR: z.string().default("./data/models").meta({
    description:
      "Where model directories are; the demo models are built here on first use, and what was fetched from `MODELS_URL` is kept here.",
  }),
  MODELS_URL: z.string().optional().meta({
    description:
      "A repository of models, `file:DIRECTORY` or `s3://BUCKET/PREFIX` by the same variables as `STORAGE_URL`, that the worker fetches the one it serves from.",
  }),
  DEVICE: z
    .enum(["cpu", "cuda", "webgpu"])
    .default("cpu")
    .meta({ description: "What ONNX Runtime runs on. A worker that cannot have it does not start." }),
  MAX_BATCH_SIZE: wholeNumber(1, 1024).default(32).meta({ description: "The most images in a micro-batch." }),
  BATCH_MAX_WAIT_MS: wholeNumber(0, 1000).default(25).meta({
    description:
      "The longest an image waits for others while the engine is free, in milliseconds; it waits only while that pays.",
  }),
  ENGINE_INSTANCES: wholeNumber(1, 16)
    .default(1)
    .meta({ description: "Sessions that run side by side on the device, each on a thread of its own." }),
  MAX_IMAGE_BYTES: wholeNumber(1024, 1_000_000_000)
    .default(20_000_000)
    .meta({ description: "The largest image file that is fetched, in bytes." }),
  MAX_IMAGE_PIXELS: wholeNumber(1024, 1_000_000_000)
    .default(100_000_000)
    .meta({ description: "The most pixels, width times height, that an image may have." }),
  ALLOWED_PRIVATE_NETWORKS: commaList
    .pipe(
      z.array(z.union([z.cidrv4(), z.cidrv6()], "must be networks such as 10.0.0.0/8, separated by commas")),
    )
    .default([])
    .meta({
      description:
        "Private networks (CIDR, separated by commas) that image URLs and callbacks may reach; none by default.",
    }),
  DRAIN_SECONDS: drainSeconds.meta({
    description:
      "How long a worker that is told to stop finishes what is in hand, in seconds; what is left then is handed back, and another worker has it at once. An attempt to deliver a message may take 15.",
  }),
  READY_FILE: z.string().optional().meta({
    description:
      "A file that the worker writes once it takes jobs, anew every five seconds, and removes when it is told to stop; for probes.",
  }),
});
export type WorkerConfig = z.infer<typeof WorkerConfig>;
