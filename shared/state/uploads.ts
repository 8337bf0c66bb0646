import { UploadRecord } from "../contracts/upload.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Seconds for which an upload can be named in a request. */
export const UPLOAD_TTL = 86_400;

/** Notes what a tenant is going to upload. */
export async function putUpload(
  redis: RedisClient,
  tenant: string,
  id: string,
  record: UploadRecord,
): Promise<void> {
  await redis.set(redisKeys.upload(tenant, id), JSON.stringify(record), "EX", UPLOAD_TTL);
}

/** The tenant's upload of this id, sent or not; undefined when there is none, or no longer. */
export async function getUpload(
  redis: RedisClient,
  tenant: string,
  id: string,
): Promise<UploadRecord | undefined> {
  const text = await redis.get(redisKeys.upload(tenant, id));
  return text === null ? undefined : UploadRecord.parse(JSON.parse(text));
}
