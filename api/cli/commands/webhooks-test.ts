import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { showMessage } from "../show-message.ts";

/** `tresline webhooks test`. */
export const webhooksTest = command({
  help: `Usage: tresline webhooks test ID [OPTION]...

Sends a webhook endpoint the event webhook.test.

  --wait             wait until it is delivered or given up
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals }, context) {
    const client = context.connect();
    const { id } = await client.webhookEndpoints.test(readOneId("webhooks test", "whe_", positionals));
    return showMessage(client, id, values.wait ?? false, context);
  },
});
