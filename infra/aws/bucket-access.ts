import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IBucket } from "aws-cdk-lib/aws-s3";

/** Reads, writes and deletes in Tresline's own bucket; without listing it, what is not there would look forbidden. */
export const ofResults = (bucket: IBucket): PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
    resources: [bucket.arnForObjects("*")],
  }),
  new PolicyStatement({ actions: ["s3:ListBucket"], resources: [bucket.bucketArn] }),
];

/** Reads images, manifests and inventories in a bucket of somebody else. */
export const ofSource = (bucket: IBucket): PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:GetObject", "s3:GetObjectVersion"],
    resources: [bucket.arnForObjects("*")],
  }),
  new PolicyStatement({ actions: ["s3:ListBucket"], resources: [bucket.bucketArn] }),
];

/** Writes labels back: tags of any object, and sidecars, whose names `sidecarKey` in shared/sidecar-key.ts makes. */
export const ofWriteBack = (bucket: IBucket): PolicyStatement[] => [
  new PolicyStatement({
    actions: ["s3:GetObjectTagging", "s3:PutObjectTagging"],
    resources: [bucket.arnForObjects("*")],
  }),
  new PolicyStatement({
    actions: ["s3:PutObject"],
    resources: [bucket.arnForObjects("*.tresline.json"), bucket.arnForObjects(".tresline/*.json")],
  }),
];
