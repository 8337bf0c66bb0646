import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { sidecarKey } from "../../../shared/sidecar-key.ts";
import { deployed, synthesise } from "./synthesise.ts";
import type { Json } from "./synthesise.ts";

// What the code is does not matter here.
const { template, all, only, close } = synthesise("infra/bundle");
afterAll(close);

interface Statement {
  Effect: "Allow" | "Deny";
  Action: string | string[];
  Resource?: unknown;
  Condition?: Json;
}
/** Every statement of every policy, wherever in the template it stands. */
function statementsIn(value: unknown): Statement[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "Statement" in value ? (value.Statement as Statement[]) : [];
  return [...own, ...Object.values(value).flatMap(statementsIn)];
}
const actionsOf = ({ Action }: Statement) => [Action].flat();

test("policies allow actions one by one, and never all of a service", () => {
  const allowed = statementsIn(template.toJSON()).filter(({ Effect }) => Effect === "Allow");
  expect(allowed.length).toBeGreaterThan(10);
  expect(allowed.flatMap(actionsOf).filter((action) => !/^[a-z0-9]+:[A-Za-z]+$/.test(action))).toEqual([]);
});

test("policies name what they allow it on, but for the two where AWS knows no other way", () => {
  const anywhere = statementsIn(template.toJSON()).filter(
    ({ Effect, Resource }) => Effect === "Allow" && [Resource].flat().includes("*"),
  );
  // A key's own policy, which is about that key alone, and what Lambda needs to put a function into a VPC.
  expect(anywhere.map((statement) => actionsOf(statement)[0])).toEqual([
    "kms:CancelKeyDeletion",
    "ec2:CreateNetworkInterface",
  ]);
});

test("policies forbid whatever does not come by TLS to the bucket and the queues, and that is all they forbid", () => {
  const denied = statementsIn(template.toJSON()).filter(({ Effect }) => Effect === "Deny");
  expect(denied.flatMap(actionsOf).toSorted()).toEqual(["s3:*", "sqs:*", "sqs:*"]);
  for (const { Condition } of denied) expect(Condition).toEqual({ Bool: { "aws:SecureTransport": "false" } });
});

test("policies are this stack's own, and none that AWS may change", () => {
  const attached = all("AWS::IAM::Role").flatMap(
    (role) => (role["ManagedPolicyArns"] as Json[] | undefined) ?? [],
  );
  expect(attached.map((each) => Object.keys(each))).toEqual([["Ref"]]);
});

test("workers may write beside objects of the buckets that may be written to sidecars and nothing else", async () => {
  const { Statement: statements } = only("AWS::IAM::ManagedPolicy")["PolicyDocument"] as {
    Statement: Statement[];
  };
  const places = (action: string) =>
    statements
      .filter((statement) => actionsOf(statement).includes(action))
      .flatMap(({ Resource }) => [Resource].flat().map(deployed))
      .flatMap((arn) => /^arn:.*:s3:::(.*)$/.exec(arn)?.[1] ?? []);
  const mayPut = (path: string) =>
    places("s3:PutObject").some((place) => {
      const [before = "", after = ""] = place.split("*");
      return path.startsWith(before) && path.endsWith(after);
    });
  for (const key of ["2026/cat.jpg", "x".repeat(1024)])
    expect(mayPut(`photos/${await sidecarKey(key)}`), key).toBe(true);
  expect(mayPut("photos/2026/cat.jpg")).toBe(false);
  expect(mayPut(`scans/${await sidecarKey("cat.jpg")}`)).toBe(false);
  expect(places("s3:PutObjectTagging")).toEqual(["photos/*"]);
  expect(places("s3:GetObject")).toEqual(["photos/*", "scans/*"]);
  expect(places("s3:DeleteObject")).toEqual([]);
});

test("the role is given to pods of the namespace that the manifests make", () => {
  const { metadata } = parse(readFileSync("infra/k8s/base/namespace.yaml", "utf8")) as {
    metadata: { name: string };
  };
  const trusting = all("AWS::IAM::Role").map((role) => role["AssumeRolePolicyDocument"] as object);
  expect(trusting).toContainEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Condition: { StringEquals: { "aws:RequestTag/kubernetes-namespace": metadata.name } },
      },
    ],
  });
});
