import {
  ManagedPolicy,
  PrincipalWithConditions,
  Role,
  ServicePrincipal,
  SessionTagsPrincipal,
} from "aws-cdk-lib/aws-iam";
import { Bucket } from "aws-cdk-lib/aws-s3";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { ofResults, ofSource, ofWriteBack } from "./bucket-access.ts";
import type { Settings } from "./settings.ts";

/** Where infra/k8s runs them. */
const NAMESPACE = "tresline";

/** What workers may do, and a role for pods of EKS in the namespace `tresline` that may do it. The policy is of use to any other role as well. */
export class WorkerAccess extends Construct {
  readonly policy: ManagedPolicy;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: { settings: Settings; results: IBucket }) {
    super(scope, id);
    const { sourceBuckets, writeBackBuckets } = props.settings;
    const ofOthers = sourceBuckets.flatMap((name) => {
      const bucket = Bucket.fromBucketName(this, name, name);
      return [...ofSource(bucket), ...(writeBackBuckets.includes(name) ? ofWriteBack(bucket) : [])];
    });
    this.policy = new ManagedPolicy(this, "Policy", {
      description: "What workers of Tresline may do",
      statements: [...ofResults(props.results), ...ofOthers],
    });
    // https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
    const podIdentity = new PrincipalWithConditions(new ServicePrincipal("pods.eks.amazonaws.com"), {
      StringEquals: { "aws:RequestTag/kubernetes-namespace": NAMESPACE },
    });
    this.role = new Role(this, "Role", {
      description: "Workers of Tresline on EKS, by Pod Identity",
      assumedBy: new SessionTagsPrincipal(podIdentity),
      managedPolicies: [this.policy],
    });
  }
}
