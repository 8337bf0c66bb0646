import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { z } from "zod";
import { bundle } from "../bundle/bundle.ts";
import cdk from "./cdk.json" with { type: "json" };
import { Settings } from "./settings.ts";
import { TreslineStack } from "./tresline-stack.ts";

const DIST = join(import.meta.dirname, "../../dist");

/** Bundles the API and writes the stack `Tresline` where the CDK's command asks for it, by itself to `dist/aws`. Asks nobody. */
async function main(): Promise<void> {
  const settings = Settings.safeParse(cdk.context.tresline);
  if (!settings.success)
    throw new Error(`context.tresline of infra/aws/cdk.json is wrong:\n${z.prettifyError(settings.error)}`);
  const code = join(DIST, "lambda");
  await bundle("lambda", code);
  const app = new App({ outdir: process.env["CDK_OUTDIR"] ?? join(DIST, "aws"), analyticsReporting: false });
  new TreslineStack(app, "Tresline", { settings: settings.data, code, terminationProtection: true });
  process.stderr.write(`${app.synth().directory}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
