import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

/** How long what was overwritten or deleted can be brought back. */
const UNDO = Duration.days(7);

/**
 * Tresline's own bucket, which outlives the stack. What Tresline deletes is gone for good only after a week, which is there to
 * undo mistakes; nothing else in it grows old by itself, for that is what `RETENTION_DAYS` is for.
 */
export function resultsBucket(scope: Construct, id: string): IBucket {
  // Named since the CDK was not compiled with exactOptionalPropertyTypes.
  return new Bucket(scope, id, {
    encryption: BucketEncryption.S3_MANAGED,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    versioned: true,
    lifecycleRules: [
      {
        id: "undo",
        noncurrentVersionExpiration: UNDO,
        expiredObjectDeleteMarker: true,
        // Parts of an upload whose worker died cost as much as any object and are seen by nobody.
        abortIncompleteMultipartUploadAfter: Duration.days(1),
      },
    ],
    removalPolicy: RemovalPolicy.RETAIN,
  }) as IBucket;
}
