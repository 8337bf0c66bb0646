import { CfnOutput, Stack } from "aws-cdk-lib";
import type { StackProps } from "aws-cdk-lib";
import { SubnetType } from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import { Alarms } from "./alarms.ts";
import { ApiFunction } from "./api-function.ts";
import { BucketEvents } from "./bucket-events.ts";
import { Network } from "./network.ts";
import { resultsBucket } from "./results-bucket.ts";
import type { Settings } from "./settings.ts";
import { Valkey } from "./valkey.ts";
import { WorkerAccess } from "./worker-access.ts";

/** A deployment. */
export interface TreslineStackProps extends StackProps {
  settings: Settings;
  /** The directory of the bundle for Lambda. */
  code: string;
}

/** All of Tresline on AWS but its workers, which run on EKS and are told by the outputs where everything is. */
export class TreslineStack extends Stack {
  constructor(scope: Construct, id: string, { settings, code, ...stackProps }: TreslineStackProps) {
    super(scope, id, stackProps);
    const network = new Network(this, "Network");
    const results = resultsBucket(this, "Results");
    const valkey = new Valkey(this, "Valkey", { network, nodeType: settings.nodeType });
    const api = new ApiFunction(this, "Api", { settings, code, network, valkey, results });
    const { lambda, http } = api;
    const events =
      settings.sourceBuckets.length > 0
        ? new BucketEvents(this, "BucketEvents", { buckets: settings.sourceBuckets, lambda })
        : undefined;
    const workers = new WorkerAccess(this, "Workers", { settings, results });
    new Alarms(this, "Alarms", {
      lambda,
      http,
      events,
      valkeyNodes: valkey.nodes,
      topic: settings.alarmTopic,
    });

    const subnets = network.vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_WITH_EGRESS }).subnetIds;
    const outputs = {
      Url: api.url,
      ApiKeySecret: api.apiKey.secretArn,
      RedisUrl: valkey.url("PASSWORD"),
      RedisPasswordSecret: valkey.password.secretArn,
      StorageUrl: `s3://${results.bucketName}`,
      SourceBuckets: settings.sourceBuckets.join(","),
      VpcId: network.vpc.vpcId,
      WorkerSubnets: subnets.join(","),
      WorkerSecurityGroup: network.workers.securityGroupId,
      WorkerRole: workers.role.roleArn,
      WorkerPolicy: workers.policy.managedPolicyArn,
    };
    for (const [name, value] of Object.entries(outputs))
      if (value !== "") new CfnOutput(this, name, { value });
  }
}
