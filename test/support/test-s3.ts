import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { inject, vi } from "vitest";

/** The variables by which a process uses the S3 server of the project "s3" and no other. */
export function s3Environment(): Record<string, string> {
  const { endpoint, accessKeyId, secretAccessKey } = inject("s3");
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    S3_FORCE_PATH_STYLE: "true",
  };
}

/** Has what is opened in this process from now on use it, too, until `vi.unstubAllEnvs()`. */
export function useS3(): void {
  for (const [name, value] of Object.entries(s3Environment())) vi.stubEnv(name, value);
}

/** Makes buckets there, and gives a client of it, whatever the environment says by then; to be destroyed. */
export async function makeBuckets(...names: string[]): Promise<S3Client> {
  const { endpoint, accessKeyId, secretAccessKey } = inject("s3");
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  for (const Bucket of names) await client.send(new CreateBucketCommand({ Bucket }));
  return client;
}
