import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * The part of AWS Lambda that runs in an execution environment: loads the handler, then asks for one invocation after the
 * other (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
 */
async function main(): Promise<void> {
  const { AWS_LAMBDA_RUNTIME_API: api = "", LAMBDA_TASK_ROOT: root = "", _HANDLER: name = "" } = process.env;
  const [file = "", exported = ""] = name.split(".");
  const module = (await import(pathToFileURL(join(root, `${file}.mjs`)).href)) as Record<string, Handler>;
  const handler = module[exported];
  if (handler === undefined) throw new Error(`${file}.mjs exports no ${exported}`);
  const runtime = `http://${api}/2018-06-01/runtime/invocation`;
  for (;;) {
    const next = await fetch(`${runtime}/next`);
    const awsRequestId = next.headers.get("lambda-runtime-aws-request-id") ?? "";
    const post = (where: string, body: unknown) =>
      fetch(`${runtime}/${awsRequestId}/${where}`, { method: "POST", body: JSON.stringify(body) });
    try {
      await post("response", (await handler(await next.json(), { awsRequestId })) ?? null);
    } catch (error) {
      await post("error", { errorMessage: String(error), errorType: "Error" });
    }
  }
}

type Handler = (event: unknown, context: object) => Promise<unknown>;

await main();
