import { z } from "zod";
import { CreateBatch } from "../../shared/contracts/batch.ts";
import { UsageError } from "./command.ts";
import { parseS3Address } from "./s3-address.ts";

type Items = NonNullable<z.input<typeof CreateBatch>["items"]>;

/** The items of a file: each line an address, which is the item's name too, or an item as JSON. Throws UsageError, which tells of the first bad line. */
export function readItems(file: Buffer, name: string): Items {
  const lines = file
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim());
  const numbered = lines.flatMap((text, index) => (text === "" ? [] : [{ text, number: index + 1 }]));
  if (numbered.length === 0) throw new UsageError(`${name} lists no image.`);
  const items = numbered.map(({ text }) => readItem(text));
  const { error } = CreateBatch.safeParse({ items });
  const [fault] = error?.issues ?? [];
  if (fault === undefined) return items as Items;
  const [, index, ...place] = fault.path;
  const where = typeof index === "number" ? `, line ${numbered[index]?.number}` : "";
  throw new UsageError(`${name}${where}: ${[...place, fault.message].join(" ")}.`);
}

function readItem(text: string): unknown {
  const s3 = parseS3Address(text);
  if (s3) return { custom_id: text, image: { s3 } };
  if (!text.startsWith("{")) return { custom_id: text, image: { url: text } };
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
