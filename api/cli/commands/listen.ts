import type { WebhookEvent } from "../../../shared/contracts/webhook-event.ts";
import { Interrupted, UsageError, command } from "../command.ts";
import { readWhole } from "../read-number.ts";
import { receiveWebhooks } from "../receive-webhooks.ts";

const MAX_PORT = 65_535;
const PORT = "4000";

/** `tresline listen`. */
export const listen = command({
  help: `Usage: tresline listen [OPTION]...

Receives webhooks on this machine, verifies them and prints a line for each,
until Ctrl-C. Give the address that it prints as a webhook. A Tresline that runs
on this machine needs ALLOWED_PRIVATE_NETWORKS=127.0.0.0/8 to reach it.

  --port N           where to listen (default ${PORT})
  --secret SECRET    whsec_… or whpk_…; may be given again (default: the one
                     that signs messages to bare addresses, which the service
                     is asked for)
  --forward URL      pass each message on as it came, and answer as is answered
`,
  options: {
    port: { type: "string" },
    secret: { type: "string", multiple: true },
    forward: { type: "string" },
  },
  async run({ values: { port, secret, forward }, positionals }, { connect, asJson, out, err }) {
    if (positionals.length > 0) throw new UsageError("listen takes options only.");
    if (forward !== undefined && !/^https?:\/\//.test(forward))
      throw new UsageError(`--forward must be an http or https address; it is "${forward}".`);
    const at = readWhole("--port", port ?? PORT, MAX_PORT);
    const secrets = secret ?? [await connect().webhookSecret.get()];
    let received = 0;
    const { url, close } = await receiveWebhooks({
      port: at,
      secrets,
      forward,
      onEvent(event, forwarded) {
        received++;
        void out(asJson ? `${JSON.stringify(event)}\n` : printEvent(event, forwarded));
      },
      onRefusal: (detail) => void err.write(`tresline: a request was refused: ${detail}\n`),
    });
    err.write(`tresline: listening at ${url}\n`);
    await new Promise((resolve) => process.once("SIGINT", resolve));
    close();
    throw new Interrupted(`Stopped after ${received} messages.`);
  },
});

/** `batch.completed bat_… completed`, and what the address answered that it was passed on to. */
function printEvent({ type, data: { id, status } }: WebhookEvent, forwarded: string | undefined): string {
  return `${[type, id, status, ...(forwarded === undefined ? [] : ["→", forwarded])].join(" ")}\n`;
}
