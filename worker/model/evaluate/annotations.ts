import { extname, join } from "node:path";
import { z } from "zod";
import { issueLine, parseJson } from "../config.ts";
import { ModelError } from "../model-error.ts";
import { readText } from "../read-text.ts";

/** One image and all the classes it shows, by their place among the model's labels. */
export interface AnnotatedFile {
  readonly path: string;
  readonly labels: ReadonlySet<number>;
}

const Coco = z.object({
  images: z.array(z.object({ id: z.number(), file_name: z.string() })),
  annotations: z.array(z.object({ image_id: z.number(), category_id: z.number() })),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
});

/**
 * The images of a folder with the classes that a file says they show: COCO's instances JSON, or CSV with a file name and its labels, separated by
 * semicolons, on each line. Throws ModelError for a label the model does not have.
 */
export function readAnnotations(path: string, folder: string, labels: readonly string[]): AnnotatedFile[] {
  const classes = new Map(labels.map((label, index) => [label, index]));
  const named = extname(path).toLowerCase() === ".json" ? readCoco(path) : readCsv(path);
  if (named.size === 0) throw new ModelError(`${path}: it names no image.`);
  return [...named].map(([file, names]) => ({
    path: join(folder, file),
    labels: new Set(
      names.map((name) => {
        const index = classes.get(name);
        if (index === undefined)
          throw new ModelError(
            `${path}: ${file} is labelled ${JSON.stringify(name)}, which is no class of the model.`,
          );
        return index;
      }),
    ),
  }));
}

function readCoco(path: string): Map<string, string[]> {
  const parsed = Coco.safeParse(parseJson(path));
  if (!parsed.success) throw new ModelError(`${path}: not COCO annotations: ${issueLine(parsed.error)}`);
  const { images, annotations, categories } = parsed.data;
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const byImage = new Map(images.map(({ id }) => [id, [] as string[]]));
  for (const { image_id, category_id } of annotations) {
    const name = names.get(category_id);
    const found = byImage.get(image_id);
    if (name === undefined || !found)
      throw new ModelError(
        `${path}: an annotation of image ${image_id} and category ${category_id} has no such image or category.`,
      );
    found.push(name);
  }
  return new Map(images.map(({ id, file_name }) => [file_name, byImage.get(id)!]));
}

function readCsv(path: string): Map<string, string[]> {
  const lines = readText(path)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  return new Map(
    lines.map((line, index) => {
      const [file, labels, ...more] = csvFields(line);
      if (!file || labels === undefined || more.length > 0)
        throw new ModelError(
          `${path}: line ${index + 1} is not "file,label;label;…"; a name with a comma must be in quotes.`,
        );
      return [
        file,
        labels
          .split(";")
          .map((label) => label.trim())
          .filter((label) => label !== ""),
      ];
    }),
  );
}

/** The fields of one CSV line (RFC 4180, without line breaks in a field). */
const csvFields = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
