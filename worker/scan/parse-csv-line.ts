/** A field of RFC 4180 and what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** The fields of a line of CSV (RFC 4180), which is whole: no field has a line feed in it. Undefined when it is not CSV. */
export function parseCsvLine(text: string): string[] | undefined {
  const fields: string[] = [];
  FIELD.lastIndex = 0;
  for (let end: string | undefined = ","; end === ",";) {
    const match = FIELD.exec(text);
    if (match === null) return undefined;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    end = match[3];
  }
  return fields;
}
