import { UsageError, command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";

/** `tresline webhooks recover`. */
export const webhooksRecover = command({
  help: `Usage: tresline webhooks recover ID --since TIME [OPTION]...

Sends a webhook endpoint again what was given up, or not sent while it was
disabled, each message under the id it had. It is enabled first.

  --since TIME       such as 2026-11-22 or 2026-11-22T12:00:00Z
`,
  options: { since: { type: "string" } },
  async run({ values: { since }, positionals }, { connect, asJson, out }) {
    const id = readOneId("webhooks recover", "whe_", positionals);
    const time = readTime(since);
    const { webhookEndpoints } = connect();
    await webhookEndpoints.update(id, { status: "enabled" });
    const messages = await webhookEndpoints.recover(id, time);
    await out(
      asJson
        ? `${JSON.stringify({ endpoint_id: id, messages })}\n`
        : `${messages} messages are sent again.\n`,
    );
  },
});

function readTime(text: string | undefined): string {
  const time = new Date(text ?? "");
  if (text !== undefined && !Number.isNaN(time.getTime())) return time.toISOString();
  const said = text === undefined ? "is missing" : `is "${text}"`;
  throw new UsageError(`--since must be a time such as 2026-11-22T12:00:00Z; it ${said}.`);
}
