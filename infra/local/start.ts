import { relative } from "node:path";
import { ConfigError, readConfig } from "../../shared/config.ts";
import { StartError } from "./start-error.ts";
import { LocalConfig, startTresline } from "./tresline.ts";
import type { Tresline } from "./tresline.ts";

/** The entry of `npm start`: everything on one machine, without configuration. */
async function main(): Promise<void> {
  say("Starting Tresline …");
  const stopEarly = Promise.withResolvers<void>();
  process.once("SIGINT", stopEarly.resolve).once("SIGTERM", stopEarly.resolve);
  const tresline = await startTresline(readConfig(LocalConfig, process.env), process.env, say);
  say(welcome(tresline));
  await stopEarly.promise;
  say(
    "\nStopping: what is in hand is finished first. Ctrl-C again to stop at once; nothing accepted is lost.",
  );
  process.once("SIGINT", () => process.exit(130));
  await tresline.stop();
  say("Stopped.");
}

const welcome = ({ url, apiKey, logFile }: Tresline) => `
Tresline is ready.

  API      ${url}   (reference: ${url}/docs)
  Console  ${url}/console
  API key  ${apiKey}
  Log      ${relative(process.cwd(), logFile)}

Label a picture:

  curl -s ${url}/v1/classifications \\
    -H 'Authorization: Bearer ${apiKey}' \\
    -H 'Prefer: wait=10' -H 'Content-Type: image/png' \\
    --data-binary @worker/model/demo/figures/samples/bar_chart_06.png

Ctrl-C stops everything.`;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  const isUsers = error instanceof StartError || error instanceof ConfigError;
  process.stderr.write(
    `${error instanceof Error ? (isUsers ? error.message : error.stack) : String(error)}\n`,
  );
  process.exit(1);
});
