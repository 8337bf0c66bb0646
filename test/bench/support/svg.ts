/** Width of a plot in pixels. */
export const WIDTH = 760;

/** Colours that can be told apart, also in grey. */
export const COLOURS = ["#1b6ca8", "#c4572b", "#5b8c2a"] as const;

/** A picture on white with a title, in the fonts of the reader's system. */
export const picture = (height: number, title: string, marks: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#222">
<title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-size="16" font-weight="600">${escapeXml(title)}</text>
${marks.join("\n")}
</svg>
`;

/** A line of text at a point. */
export const text = (
  x: number,
  y: number,
  content: string,
  anchor: "start" | "middle" | "end" = "start",
): string => `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escapeXml(content)}</text>`;

/** A straight line. */
export const stroke = (
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
  colour: string,
): string =>
  `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" stroke="${colour}"/>`;

/** A filled rectangle. */
export const box = (x: number, y: number, width: number, height: number, colour: string): string =>
  `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}" fill="${colour}"/>`;

/** A line through points. */
export const path = (points: readonly (readonly [number, number])[], colour: string): string =>
  `<polyline points="${points.map(([x, y]) => `${fixed(x)},${fixed(y)}`).join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`;

const fixed = (value: number) => Number(value.toFixed(1));

const escapeXml = (content: string) =>
  content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
