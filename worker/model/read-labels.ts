import { ModelError } from "./model-error.ts";
import { readText } from "./read-text.ts";

/**
 * Class names from a file, one line a class in the order of the logits: the name alone, or tab-separated columns that begin with
 * the class's index and end with its name. Throws ModelError for an index out of order, an empty name or an empty file.
 */
export function readLabels(path: string): string[] {
  const lines = readText(path).trimEnd().split(/\r?\n/);
  return lines.map((line, index) => {
    const columns = line.split("\t");
    const name = columns.at(-1)?.trim() ?? "";
    if (!name) throw new ModelError(`${path}: line ${index + 1} has no name.`);
    if (columns.length > 1 && columns[0] !== String(index))
      throw new ModelError(
        `${path}: line ${index + 1} begins with ${JSON.stringify(columns[0])}, the class index ${index} expected.`,
      );
    return name;
  });
}
