import { Duration } from "aws-cdk-lib";
import { HttpApi, HttpRoute, HttpRouteKey } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { SubnetType } from "aws-cdk-lib/aws-ec2";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import { Architecture, Code, Function as LambdaFunction, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { ofResults } from "./bucket-access.ts";
import { environmentKey } from "./environment-key.ts";
import type { Network } from "./network.ts";
import type { Settings } from "./settings.ts";
import type { Valkey } from "./valkey.ts";

/** API Gateway ends a request after 30 s, and an answer has to be on its way before that. */
const TIMEOUT = Duration.seconds(30);
const MAX_ANSWER_SECONDS = "25";

/** What the API works with. */
export interface ApiFunctionProps {
  settings: Settings;
  /** The directory of the bundle for Lambda. */
  code: string;
  network: Network;
  valkey: Valkey;
  results: IBucket;
}

/** The API as a function, and its address. */
export class ApiFunction extends Construct {
  readonly lambda: LambdaFunction;
  readonly http: HttpApi;
  readonly url: string;
  readonly apiKey: Secret;

  constructor(scope: Construct, id: string, props: ApiFunctionProps) {
    super(scope, id);
    const { settings, network, valkey, results } = props;
    this.apiKey = new Secret(this, "Key", {
      description: "API_KEY of Tresline",
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
    });
    this.http = new HttpApi(this, "Http", { description: "Tresline" });
    this.url = settings.environment["PUBLIC_URL"] ?? this.http.apiEndpoint;
    const key = environmentKey(this, "EnvironmentKey");
    const logGroup = new LogGroup(this, "Log", { retention: RetentionDays.ONE_MONTH });
    this.lambda = new LambdaFunction(this, "Function", {
      description: "The API of Tresline",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: Code.fromAsset(props.code),
      role: executionRole(this, "Role", { logGroup, key, results }),
      // Processor time comes with memory, and a start is all processor.
      memorySize: 1024,
      timeout: TIMEOUT,
      reservedConcurrentExecutions: settings.reservedConcurrency,
      vpc: network.vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroups: [network.api],
      logGroup,
      environmentEncryption: key,
      environment: {
        ...settings.environment,
        // Secrets are resolved when the stack is deployed: docs/aws.md tells why, and what rotating them takes.
        REDIS_URL: valkey.url(valkey.password.secretValue.unsafeUnwrap()),
        API_KEY: this.apiKey.secretValue.unsafeUnwrap(),
        STORAGE_URL: `s3://${results.bucketName}`,
        PUBLIC_URL: this.url,
        S3_SOURCE_BUCKETS: settings.sourceBuckets.join(","),
        MAX_ANSWER_SECONDS,
      },
    });
    new HttpRoute(this, "Route", {
      httpApi: this.http,
      routeKey: HttpRouteKey.DEFAULT,
      integration: new HttpLambdaIntegration("Lambda", this.lambda),
    });
  }
}

/** The role of the function, which may do no more than it does. */
function executionRole(
  scope: Construct,
  id: string,
  { logGroup, key, results }: { logGroup: LogGroup; key: Key; results: IBucket },
): Role {
  const statements = {
    Log: [
      new PolicyStatement({
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [logGroup.logGroupArn],
      }),
    ],
    // What Lambda itself needs to put a function into a VPC, and asks to have on all resources.
    Network: [
      new PolicyStatement({
        actions: [
          "ec2:CreateNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeSubnets",
          "ec2:DeleteNetworkInterface",
          "ec2:AssignPrivateIpAddresses",
          "ec2:UnassignPrivateIpAddresses",
        ],
        resources: ["*"],
      }),
    ],
    Environment: [new PolicyStatement({ actions: ["kms:Decrypt"], resources: [key.keyArn] })],
    Results: ofResults(results),
  };
  return new Role(scope, id, {
    assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
    inlinePolicies: Object.fromEntries(
      Object.entries(statements).map(([name, each]) => [name, new PolicyDocument({ statements: each })]),
    ),
  });
}
