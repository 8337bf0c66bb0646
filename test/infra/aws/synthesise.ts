import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { expect } from "vitest";
import cdk from "../../../infra/aws/cdk.json" with { type: "json" };
import { Settings } from "../../../infra/aws/settings.ts";
import { TreslineStack } from "../../../infra/aws/tresline-stack.ts";

/** Part of a template. */
export type Json = Record<string, unknown>;

/** The SNS topic that alarms are told to. */
export const TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms";

/** A deployment with all that may be in one: two source buckets, of which one may be written to. */
export const settings = Settings.parse({
  ...cdk.context.tresline,
  sourceBuckets: ["photos", "scans"],
  writeBackBuckets: ["photos"],
  alarmTopic: TOPIC,
  environment: { MODEL: "figures", RATE_LIMIT_PER_MINUTE: "600" },
});

/** The stack with these settings, whose function has the code in `code`. Takes a second or two. */
export function synthesise(code: string) {
  const directory = mkdtempSync(join(tmpdir(), "tresline-aws-"));
  const app = new App({ outdir: directory, analyticsReporting: false });
  const template = Template.fromStack(new TreslineStack(app, "Tresline", { settings, code }));
  const { missing } = app.synth().manifest;
  /** The properties of all resources of a type. */
  const all = (type: string): Json[] =>
    Object.values(template.findResources(type)).map((each) => each["Properties"] as Json);
  return {
    template,
    /** What would have to be asked of AWS. */
    missing,
    directory,
    all,
    /** The properties of the one resource of a type. */
    only: (type: string): Json => {
      const [found, ...more] = all(type);
      if (found === undefined || more.length > 0) throw new Error(`There is not one ${type}.`);
      return found;
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A value of a template as it may be once it is deployed: what is referred to is its own name, secrets are letters. */
export function deployed(value: unknown): string {
  if (typeof value !== "object" || value === null)
    return String(value).replaceAll(/\{\{resolve:secretsmanager:[^}]*\}\}/g, "S".repeat(48));
  const [[kind, argument] = []] = Object.entries(value);
  if (kind === "Ref") return String(argument);
  if (kind === "Fn::GetAtt")
    return (argument as string[]).join(".").replace(/^.*ApiEndpoint$/, "https://api");
  expect(kind).toBe("Fn::Join");
  const [separator, parts] = argument as [string, unknown[]];
  const joined = parts.map((part) => (typeof part === "string" ? part : deployed(part))).join(separator);
  return deployed(joined);
}
