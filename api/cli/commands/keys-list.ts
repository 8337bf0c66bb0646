import { UsageError, command } from "../command.ts";
import { printTable } from "../print-table.ts";

/** `tresline keys list`. */
export const keysList = command({
  help: `Usage: tresline keys list [OPTION]...

Lists the API keys, the newest first: your tenant's, or with the key of the
service itself those of all tenants.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out }) {
    if (positionals.length > 0) throw new UsageError("keys list takes options only.");
    const keys = await connect().apiKeys.list();
    const rows = keys.map(({ tenant, name, scopes, revoked_at, id }) => [
      `${tenant}: ${name}`,
      revoked_at === null ? scopes.join(" ") : "revoked",
      id,
    ]);
    await out(
      asJson
        ? keys.map((each) => `${JSON.stringify(each)}\n`).join("")
        : printTable(["NAME", "SCOPES", "ID"], rows),
    );
  },
});
