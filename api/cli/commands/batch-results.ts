import { OUTPUT_FORMATS } from "../../../shared/contracts/batch.ts";
import { UsageError, command } from "../command.ts";
import { readOneId } from "../read-one-id.ts";

const FORMATS = ["jsonl", ...OUTPUT_FORMATS] as const;

/** `tresline batch results`. */
export const batchResults = command({
  help: `Usage: tresline batch results ID [OPTION]...

Writes what became of the images of a batch that has ended to the standard
output, in the order of the batch.

  --format FORMAT    jsonl (an object a line; the default), csv or parquet
`,
  options: { format: { type: "string" } },
  async run({ values, positionals }, { connect, out }) {
    const id = readOneId("batch results", "bat_", positionals);
    const format = FORMATS.find((each) => each === (values.format ?? "jsonl"));
    if (!format) throw new UsageError(`--format must be ${FORMATS.join(", ")}; it is "${values.format}".`);
    for await (const piece of connect().batches.download(id, format)) await out(piece);
  },
});
