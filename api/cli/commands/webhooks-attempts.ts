import type { WebhookAttempt } from "../../../shared/contracts/webhook.ts";
import { command } from "../command.ts";
import { printTable } from "../print-table.ts";
import { readOneId } from "../read-one-id.ts";

/** `tresline webhooks attempts`. */
export const webhooksAttempts = command({
  help: `Usage: tresline webhooks attempts ID [OPTION]...

Lists what a webhook endpoint was sent and answered, the latest first: the last
500 attempts of 30 days. --json tells more of each.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out }) {
    const id = readOneId("webhooks attempts", "whe_", positionals);
    const attempts = await connect().webhookEndpoints.attempts(id);
    await out(
      asJson
        ? attempts.map((each) => `${JSON.stringify(each)}\n`).join("")
        : printTable(["EVENT", "AT", "ANSWER", "MESSAGE"], attempts.map(toRow)),
    );
  },
});

/** The time is told without year and seconds: a row has 80 columns. */
const toRow = ({ type, attempted_at, response_status, status, message_id }: WebhookAttempt) => [
  type,
  attempted_at.slice(5, 16).replace("T", " "),
  response_status === null ? status.replaceAll("_", " ") : `${response_status}`,
  message_id,
];
