import { UsageError, command } from "../command.ts";
import { printTable } from "../print-table.ts";

/** `tresline models`. */
export const models = command({
  help: `Usage: tresline models [OPTION]...

Lists the models that images can be labelled with. Images for one that no worker
serves now wait for the next worker.
`,
  options: {},
  async run({ positionals }, { connect, asJson, out }) {
    if (positionals.length > 0) throw new UsageError("models takes options only.");
    const listed = await connect().models.list();
    const rows = listed.map(({ id, is_default, num_classes, device, is_served }) => [
      is_default ? `${id} (default)` : id,
      `${num_classes}`,
      device,
      is_served ? "yes" : "no",
    ]);
    await out(
      asJson
        ? listed.map((each) => `${JSON.stringify(each)}\n`).join("")
        : printTable(["MODEL", "CLASSES", "ON", "SERVED"], rows),
    );
  },
});
