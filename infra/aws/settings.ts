import { z } from "zod";
import { EdgeConfig } from "../../api/config.ts";
import { readConfig } from "../../shared/config.ts";
import { BucketName } from "../../shared/contracts/image.ts";

/** What the stack itself sets, so that nothing else may. */
const OF_THE_STACK = {
  REDIS_URL: "redis://stack",
  STORAGE_URL: "s3://stack",
  API_KEY: "set-by-the-stack",
  S3_SOURCE_BUCKETS: "",
  MAX_ANSWER_SECONDS: "",
};

/** Variables of the API as its function gets them, checked as the API will. */
const Environment = z.record(z.string(), z.string()).superRefine((environment, context) => {
  for (const name of Object.keys(environment))
    if (!(name in EdgeConfig.shape) || name in OF_THE_STACK)
      context.addIssue(`${name} is no variable of the API, or one that the stack sets itself`);
  try {
    readConfig(EdgeConfig, { PUBLIC_URL: "https://stack", ...environment, ...OF_THE_STACK });
  } catch (error) {
    context.addIssue(String(error));
  }
});

/** What `cdk.json` says under `context.tresline`: all that differs between one deployment and another. */
export const Settings = z
  .strictObject({
    /** Buckets of this account and region that images may be read from, and whose events are taken. */
    sourceBuckets: z.array(BucketName),
    /** Those of them that labels may be written back to, as tags or sidecars. */
    writeBackBuckets: z.array(BucketName),
    /** Of both nodes of Valkey. */
    nodeType: z.string().regex(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, "must be such as cache.r7g.large"),
    /** How many execution environments the API has at most, each with up to two connections to Valkey. */
    reservedConcurrency: z.int().min(10),
    /** The ARN of an SNS topic that hears of alarms. */
    alarmTopic: z.string().startsWith("arn:").optional(),
    environment: Environment,
  })
  .refine(
    ({ sourceBuckets, writeBackBuckets }) => writeBackBuckets.every((name) => sourceBuckets.includes(name)),
    {
      path: ["writeBackBuckets"],
      error: "must be among sourceBuckets",
    },
  );
export type Settings = z.infer<typeof Settings>;
