import { command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";
import { showMessage } from "../show-message.ts";

/** `tresline webhooks resend`. */
export const webhooksResend = command({
  help: `Usage: tresline webhooks resend MESSAGE [OPTION]...

Sends a webhook message again under the id it had, or tries it now while it
waits for its next attempt.

  --wait             wait until it is delivered or given up
`,
  options: { wait: { type: "boolean" } },
  async run({ values, positionals }, context) {
    const client = context.connect();
    const { id } = await client.webhookMessages.resend(readOneId("webhooks resend", "msg_", positionals));
    return showMessage(client, id, values.wait ?? false, context);
  },
});
