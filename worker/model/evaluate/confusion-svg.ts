/** Pixels a cell of the picture has, by how many classes there are. */
const cellSize = (classes: number) => (classes <= 20 ? 28 : classes <= 100 ? 12 : 3);

/** A confusion matrix as an SVG picture: a row a true class, a column an answer, darker the larger its share of the row; the diagonal in green. */
export function confusionSvg(labels: readonly string[], confusion: readonly (readonly number[])[]): string {
  const cell = cellSize(labels.length);
  const hasText = cell >= 12;
  const margin = hasText ? 10 + 6.5 * Math.max(...labels.map((label) => Math.min(label.length, 24))) : 10;
  const side = margin + cell * labels.length + 10;
  const cells = confusion.flatMap((row, y) => {
    const images = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((count, x) => (count === 0 ? [] : [cellMark(x, y, count, count / images)]));
  });
  const names = hasText ? labels.flatMap((label, i) => nameMarks(label, i)) : [];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" font-family="sans-serif" font-size="${Math.min(11, cell - 2)}">
<title>Confusion: rows are true classes, columns are answers</title>
<rect width="100%" height="100%" fill="#fff"/>
<rect x="${margin}" y="${margin}" width="${cell * labels.length}" height="${cell * labels.length}" fill="#f4f4f4"/>
${[...cells, ...names].join("\n")}
</svg>
`;

  function cellMark(x: number, y: number, count: number, share: number): string {
    const [left, top] = [margin + x * cell, margin + y * cell];
    const hue = x === y ? 145 : 5;
    const box = `<rect x="${left}" y="${top}" width="${cell}" height="${cell}" fill="hsl(${hue} 55% ${Math.round(92 - 52 * share)}%)"/>`;
    if (cell < 28) return box;
    return `${box}<text x="${left + cell / 2}" y="${top + cell / 2 + 4}" text-anchor="middle" fill="${share > 0.5 ? "#fff" : "#222"}">${count}</text>`;
  }

  function nameMarks(label: string, index: number): string[] {
    const name = escapeXml(label.length > 24 ? `${label.slice(0, 23)}…` : label);
    const at = margin + index * cell + cell / 2 + 4;
    return [
      `<text x="${margin - 5}" y="${at}" text-anchor="end">${name}</text>`,
      `<text transform="translate(${at} ${margin - 5}) rotate(-90)">${name}</text>`,
    ];
  }
}

const escapeXml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
