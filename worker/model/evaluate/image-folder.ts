import { readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { ModelError } from "../model-error.ts";

const EXTENSIONS = new Set([".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif", ".heic"]);

/** One image whose class is known; `label` is the class's place among the model's labels. */
export interface LabelledFile {
  readonly path: string;
  readonly label: number;
}

/**
 * The images of a folder with a subfolder a class (ImageFolder's layout), sorted by path. A subfolder is named after the class's label, the first of its
 * synonyms, its WordNet id or its number. Throws ModelError for a subfolder that is no class of the model, or when there are no images.
 */
export function readImageFolder(
  folder: string,
  labels: readonly string[],
  ids: readonly string[],
): LabelledFile[] {
  const classes = new Map<string, number>();
  // What is added later wins: the label itself over a synonym, an id or a number.
  for (const names of [
    labels.map((_, i) => String(i)),
    ids,
    labels.map((label) => label.split(",")[0] ?? ""),
    labels,
  ])
    for (const [index, name] of names.entries()) classes.set(name, index);
  const subfolders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const files = subfolders.flatMap(({ name }) => {
    const label = classes.get(name);
    if (label === undefined)
      throw new ModelError(`${join(folder, name)}: the model has no class of this name.`);
    return imagesIn(join(folder, name)).map((path) => ({ path, label }));
  });
  if (files.length === 0) throw new ModelError(`${folder}: there is no image in a subfolder of it.`);
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The image files below a folder, by their extension. */
function imagesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => EXTENSIONS.has(extname(name).toLowerCase()))
    .map((name) => join(folder, name));
}
