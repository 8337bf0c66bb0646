import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { SchemaElement } from "hyparquet-writer";
import { RESULT_COLUMNS } from "./result-rows.ts";
import type { ResultRow } from "./result-rows.ts";

const text = (name: string, nullable: boolean): SchemaElement => ({
  name,
  type: "BYTE_ARRAY",
  converted_type: "UTF8",
  repetition_type: nullable ? "OPTIONAL" : "REQUIRED",
});
const double = (name: string, nullable: boolean): SchemaElement => ({
  name,
  type: "DOUBLE",
  repetition_type: nullable ? "OPTIONAL" : "REQUIRED",
});
/** The three levels of a list (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists). */
const listOf = (name: string, element: SchemaElement): SchemaElement[] => [
  { name, converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  element,
];

const COLUMNS: Record<keyof ResultRow, SchemaElement[]> = {
  custom_id: [text("custom_id", false)],
  id: [text("id", false)],
  status: [text("status", false)],
  label: [text("label", true)],
  score: [double("score", true)],
  labels: listOf("labels", text("element", false)),
  scores: listOf("scores", double("element", false)),
  error_code: [text("error_code", true)],
  error_detail: [text("error_detail", true)],
  model_digest: [text("model_digest", true)],
};
const SCHEMA: SchemaElement[] = [
  { name: "results", num_children: RESULT_COLUMNS.length },
  ...RESULT_COLUMNS.flatMap((name) => COLUMNS[name]),
];

/** The rows as a Parquet file, a row group for each group. Besides a group, what the footer says of those before is in memory: about 1 kB each. */
export async function* toParquet(
  groups: AsyncIterable<ResultRow[]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: SCHEMA, createdBy: "tresline" });
  for await (const rows of groups) {
    const columnData = RESULT_COLUMNS.map((name) => ({ name, data: rows.map((row) => row[name]) }));
    await file.write({ columnData, rowGroupSize: rows.length });
    yield taken(writer);
  }
  await file.finish();
  yield taken(writer);
}

/** What has been written since it was last taken. */
function taken(writer: ByteWriter): Uint8Array {
  const bytes = writer.getBytes().slice();
  writer.index = 0;
  return bytes;
}
