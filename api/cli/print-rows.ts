const WIDTH = 80;
const INDENT = 15;

/** Labels and texts, a row each but for those without a text, broken at spaces for a terminal of 80 columns; it ends in a newline. */
export const printRows = (rows: readonly (readonly [label: string, text: string | undefined])[]): string =>
  rows.map(([label, text]) => (text === undefined ? "" : `${printRow(label, text)}\n`)).join("");

function printRow(label: string, text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && INDENT + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each, index) => (index === 0 ? label : "").padEnd(INDENT) + each).join("\n");
}
