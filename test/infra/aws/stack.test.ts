import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EdgeConfig } from "../../../api/config.ts";
import cdk from "../../../infra/aws/cdk.json" with { type: "json" };
import { Settings } from "../../../infra/aws/settings.ts";
import { readConfig } from "../../../shared/config.ts";
import { TOPIC, deployed, settings, synthesise } from "./synthesise.ts";
import type { Json } from "./synthesise.ts";

// What the code is does not matter here.
const { template, missing, all, only, close } = synthesise("infra/bundle");
afterAll(close);

const lambda = only("AWS::Lambda::Function") as Json & { Environment: { Variables: Json } };
const environment = Object.fromEntries(
  Object.entries(lambda.Environment.Variables).map(([name, value]) => [name, deployed(value)] as const),
);
const timeoutS = Number(lambda["Timeout"]);

test("asks nobody when it is made, and makes nothing that runs but the API", () => {
  expect(missing).toBeUndefined();
  const made = Object.values(template.toJSON()["Resources"] as Record<string, { Type: string }>);
  const types = made.map(({ Type }) => Type);
  expect(types.filter((type) => type.startsWith("Custom::") || type.includes("CustomResource"))).toEqual([]);
  expect(types.filter((type) => type === "AWS::Lambda::Function")).toHaveLength(1);
});

test("is made by the command in cdk.json, with the settings and the bundle", () => {
  const out = mkdtempSync(join(tmpdir(), "tresline-aws-"));
  const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
  try {
    const env = { ...process.env, CDK_OUTDIR: out, PATH: path };
    execFileSync("sh", ["-c", cdk.app], { cwd: "infra/aws", env, stdio: "pipe" });
    const read = (name: string) => JSON.parse(readFileSync(join(out, name), "utf8")) as Json;
    expect(Object.keys(read("Tresline.template.json")["Outputs"] as Json)).toContain("RedisUrl");
    const files = read("Tresline.assets.json")["files"] as Record<string, { source: Json }>;
    const code = Object.values(files).find(({ source }) => source["packaging"] === "zip");
    const [file] = String(only("AWS::Lambda::Function")["Handler"]).split(".");
    expect(existsSync(join(out, String(code?.source["path"]), `${file}.mjs`))).toBe(true);
  } finally {
    rmSync(out, { recursive: true });
  }
}, 120_000);

test.each([
  [{ writeBackBuckets: ["others"] }, "must be among sourceBuckets"],
  [{ nodeType: "large" }, "cache.r7g.large"],
  [{ environment: { REDIS_URL: "redis://elsewhere" } }, "the stack sets itself"],
  [{ environment: { PORTS: "1" } }, "no variable of the API"],
  [{ environment: { RATE_LIMIT_PER_MINUTE: "many" } }, "must be a whole number"],
  [{ sourceBucket: "photos" }, "sourceBucket"],
])("the settings %o are refused", (changes, reason) => {
  const { error } = Settings.safeParse({ ...settings, ...changes });
  expect(error?.issues.map(({ message }) => message).join("\n")).toContain(reason);
});

test("Valkey evicts nothing, is encrypted on disk and on the wire, and has a replica in another zone that takes over", () => {
  expect(only("AWS::ElastiCache::ParameterGroup")).toMatchObject({
    CacheParameterGroupFamily: "valkey8",
    Properties: { "maxmemory-policy": "noeviction" },
  });
  expect(only("AWS::ElastiCache::ReplicationGroup")).toMatchObject({
    Engine: "valkey",
    TransitEncryptionEnabled: true,
    AtRestEncryptionEnabled: true,
    AutomaticFailoverEnabled: true,
    MultiAZEnabled: true,
    NumCacheClusters: 2,
  });
});

test("Valkey has one user, with the rights that docs/redis.md says and a password that does not stand in the template", () => {
  const { AccessString, AuthenticationMode } = only("AWS::ElastiCache::User");
  const document = readFileSync("docs/redis.md", "utf8");
  const [, rights] = /`ACL SETUSER tresline on >PASSWORD (.*?)`/.exec(document) ?? [];
  expect(AccessString).toBe(`on ${rights}`);
  expect(JSON.stringify(AuthenticationMode)).toContain("{{resolve:secretsmanager:");
});

test("Valkey is reached by the API and the workers, and nothing else is reached at all", () => {
  const ingress = all("AWS::EC2::SecurityGroupIngress");
  expect(ingress.map(({ FromPort, ToPort }) => [FromPort, ToPort])).toEqual([
    [6379, 6379],
    [6379, 6379],
  ]);
  expect(ingress.filter((rule) => !("SourceSecurityGroupId" in rule))).toEqual([]);
  expect(all("AWS::EC2::SecurityGroup").filter((group) => "SecurityGroupIngress" in group)).toEqual([]);
});

test("the bucket is encrypted, shut to the public, outlives the stack and cleans up what was never finished", () => {
  const [bucket] = Object.values(template.findResources("AWS::S3::Bucket"));
  expect(bucket).toMatchObject({
    DeletionPolicy: "Retain",
    Properties: {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: "Enabled" },
      LifecycleConfiguration: { Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }] },
    },
  });
});

test("traffic with S3 does not pass the NAT, and the subnets of the API and of Valkey have no way out", () => {
  expect(only("AWS::EC2::VPCEndpoint")["VpcEndpointType"]).toBe("Gateway");
  const tablesWithAWayOut = all("AWS::EC2::Route").map((route) => JSON.stringify(route["RouteTableId"]));
  expect(tablesWithAWayOut).toHaveLength(4);
  expect(tablesWithAWayOut.filter((table) => table.includes("inside"))).toEqual([]);
  const { VpcConfig } = only("AWS::Lambda::Function") as { VpcConfig: { SubnetIds: { Ref: string }[] } };
  const { SubnetIds } = only("AWS::ElastiCache::SubnetGroup") as { SubnetIds: { Ref: string }[] };
  const subnets = [...VpcConfig.SubnetIds, ...SubnetIds].map(({ Ref }) => Ref);
  expect(subnets).toHaveLength(4);
  expect(subnets.filter((subnet) => !subnet.includes("inside"))).toEqual([]);
});

test("the API runs on the Node that it is tested with", () => {
  expect(lambda["Runtime"]).toBe(`nodejs${process.versions.node.split(".")[0]}.x`);
});

test("the API reads every variable that it is given, and they make sense to it", () => {
  expect(Object.keys(environment).filter((name) => !(name in EdgeConfig.shape))).toEqual([]);
  const config = readConfig(EdgeConfig, environment);
  expect(config).toMatchObject({
    MODEL: "figures",
    RATE_LIMIT_PER_MINUTE: 600,
    S3_SOURCE_BUCKETS: ["photos", "scans"],
    PUBLIC_URL: "https://api",
  });
  const redis = new URL(config.REDIS_URL);
  expect([redis.protocol, redis.username, redis.port]).toEqual(["rediss:", "default", "6379"]);
  expect(redis.password).toBe("S".repeat(48));
});

test("the API has its variables encrypted with a key of its own, and no secret stands in the template", () => {
  expect(lambda["KmsKeyArn"]).toBeDefined();
  for (const secret of all("AWS::SecretsManager::Secret"))
    expect(Object.keys(secret).toSorted()).toEqual(["Description", "GenerateSecretString"]);
});

test("the API answers before its time is up, and that before API Gateway's 30 seconds are", () => {
  expect(timeoutS).toBeLessThanOrEqual(30);
  expect(Number(environment["MAX_ANSWER_SECONDS"])).toBeLessThan(timeoutS - 3);
});

test("the API gets every request, at paths that have nothing before them", () => {
  expect(only("AWS::ApiGatewayV2::Route")["RouteKey"]).toBe("$default");
  expect(only("AWS::ApiGatewayV2::Stage")["StageName"]).toBe("$default");
  expect(only("AWS::ApiGatewayV2::Integration")["PayloadFormatVersion"]).toBe("2.0");
});

/** Whether an event matches, for the patterns that are used here: lists of values, and objects of them. */
const matches = (pattern: unknown, event: unknown): boolean =>
  Array.isArray(pattern)
    ? pattern.includes(event)
    : Object.entries(pattern as Json).every(([key, each]) => matches(each, (event as Json)[key]));

test("bucket events of new objects in the source buckets are taken, and no others", () => {
  const fixture = "test/fixtures/bucket-events/eventbridge-object-created.json";
  const event = JSON.parse(readFileSync(fixture, "utf8")) as Json & { detail: Json };
  const { EventPattern } = only("AWS::Events::Rule");
  expect(matches(EventPattern, event)).toBe(true);
  expect(matches(EventPattern, { ...event, "detail-type": "Object Tags Added" })).toBe(false);
  const elsewhere = { ...event.detail, bucket: { name: "elsewhere" } };
  expect(matches(EventPattern, { ...event, detail: elsewhere })).toBe(false);
});

test("bucket events wait in a queue until the API has taken them, for a day, and those given up on are kept", () => {
  const [failed, waiting] = all("AWS::SQS::Queue") as (Json & {
    RedrivePolicy?: { maxReceiveCount: number };
  })[];
  const visibleS = Number(waiting?.["VisibilityTimeout"]);
  expect(visibleS).toBeGreaterThanOrEqual(6 * timeoutS);
  expect(Number(waiting?.RedrivePolicy?.maxReceiveCount) * visibleS).toBeGreaterThan(86_400);
  for (const queue of [failed, waiting])
    expect(queue).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 86_400 });
  expect(only("AWS::Lambda::EventSourceMapping")["FunctionResponseTypes"]).toEqual([
    "ReportBatchItemFailures",
  ]);
  expect(only("AWS::Events::Rule")["Targets"]).toMatchObject([{ DeadLetterConfig: { Arn: {} } }]);
});

test("alarms watch metrics that AWS has, tell what to do and tell it to the topic", () => {
  const alarms = all("AWS::CloudWatch::Alarm");
  const watched = alarms.map(({ Namespace, MetricName }) => `${String(Namespace)} ${String(MetricName)}`);
  expect([...new Set(watched)].toSorted()).toEqual([
    "AWS/ApiGateway 5xx",
    "AWS/ElastiCache DatabaseMemoryUsagePercentage",
    "AWS/ElastiCache EngineCPUUtilization",
    "AWS/ElastiCache Evictions",
    "AWS/ElastiCache ReplicationLag",
    "AWS/Lambda Errors",
    "AWS/Lambda Throttles",
    "AWS/SQS ApproximateAgeOfOldestMessage",
    "AWS/SQS ApproximateNumberOfMessagesVisible",
  ]);
  for (const alarm of alarms) {
    expect(alarm["AlarmActions"]).toEqual([TOPIC]);
    expect(String(alarm["AlarmDescription"]).length).toBeGreaterThan(20);
    expect(alarm["Dimensions"]).toHaveLength(1);
  }
});

test("every output is told of in docs/aws.md", () => {
  const document = readFileSync("docs/aws.md", "utf8");
  const outputs = Object.keys(template.toJSON()["Outputs"] as Json);
  expect(outputs.length).toBeGreaterThan(8);
  expect(outputs.filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
});
