import { UsageError, command } from "../command.ts";
import { printTable } from "../print-table.ts";

/** `tresline webhooks list`. */
export const webhooksList = command({
  help: `Usage: tresline webhooks list [OPTION]...

Lists the webhook endpoints, the newest first.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out }) {
    if (positionals.length > 0) throw new UsageError("webhooks list takes options only.");
    const endpoints = await connect().webhookEndpoints.list();
    await out(
      asJson
        ? endpoints.map((each) => `${JSON.stringify(each)}\n`).join("")
        : printTable(
            ["AT", "STATUS", "ID"],
            endpoints.map(({ url, status, id }) => [url, status, id]),
          ),
    );
  },
});
