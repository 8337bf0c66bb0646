import { UsageError, command } from "../command.ts";
import { printTable } from "../print-table.ts";
import { placeOf } from "../show-labeler.ts";

/** `tresline labeler list`. */
export const labelerList = command({
  help: `Usage: tresline labeler list [OPTION]...

Lists the labelers, the newest first.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out }) {
    if (positionals.length > 0) throw new UsageError("labeler list takes options only.");
    const labelers = await connect().labelers.list();
    const rows = labelers.map((each) => [placeOf(each), each.model, each.status, each.id]);
    await out(
      asJson
        ? labelers.map((each) => `${JSON.stringify(each)}\n`).join("")
        : printTable(["OF", "MODEL", "STATUS", "ID"], rows),
    );
  },
});
