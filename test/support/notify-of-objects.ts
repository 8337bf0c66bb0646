import { PutBucketNotificationConfigurationCommand } from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { AwsClient } from "aws4fetch";

/** A Ceph and who may use it. */
interface Ceph {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** Makes Ceph post an event to `url` for every object that is created in a bucket, again and again until it is answered with 2xx. */
export async function notifyOfObjects(ceph: Ceph, s3: S3Client, bucket: string, url: string): Promise<void> {
  const TopicArn = await createTopic(ceph, bucket, url);
  const TopicConfigurations = [{ Id: bucket, TopicArn, Events: ["s3:ObjectCreated:*" as const] }];
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: bucket,
      NotificationConfiguration: { TopicConfigurations },
    }),
  );
}

/** Makes a topic whose events are kept until the receiver has taken them, by Ceph's part of the SNS API, and gives its name. */
async function createTopic(
  { endpoint, accessKeyId, secretAccessKey }: Ceph,
  name: string,
  url: string,
): Promise<string> {
  const signed = new AwsClient({ accessKeyId, secretAccessKey, service: "sns", region: "us-east-1" });
  const attributes = { "push-endpoint": url, persistent: "true", "verify-ssl": "false" };
  const body = new URLSearchParams({ Action: "CreateTopic", Name: name });
  for (const [i, [key, value]] of Object.entries(attributes).entries()) {
    body.set(`Attributes.entry.${i + 1}.key`, key);
    body.set(`Attributes.entry.${i + 1}.value`, value);
  }
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const response = await signed.fetch(endpoint, { method: "POST", headers, body: body.toString() });
  const text = await response.text();
  const arn = /<TopicArn>([^<]+)<\/TopicArn>/.exec(text)?.[1];
  if (arn === undefined) throw new Error(`Ceph made no topic ${name}: ${response.status} ${text}`);
  return arn;
}
