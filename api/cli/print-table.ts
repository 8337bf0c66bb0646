import Table from "cli-table3";

const WIDTH = 80;
const GAP = 2;

const LINES =
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle";
const NO_LINES = Object.fromEntries(LINES.split(" ").map((place) => [place, ""]));

/** A table without lines for a terminal of 80 columns: the first column is cut where the others need the room. It ends in a newline. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const [first = 0, ...others] = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const room = WIDTH - others.reduce((sum, width) => sum + GAP + width, 0);
  const table = new Table({
    head: [...head],
    chars: NO_LINES,
    colWidths: [first > room ? room + GAP : null],
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return `${table.toString().replaceAll(/ +$/gm, "")}\n`;
}
