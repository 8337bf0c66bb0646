import { readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { StartError } from "../local/start-error.ts";

/** A picture to show the demo with. */
export interface DemoImage {
  /** Relative to the folder. */
  name: string;
  path: string;
  /** The class it is known to be of, when its name or its folder tells: `bar_chart_07.png` or `bar_chart/7.png`. */
  trueClass: string | undefined;
}

const EXTENSIONS = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;

/** All pictures under a folder, sorted by name, at most `most`. Throws StartError when there is none. */
export function findImages(folder: string, labels: readonly string[], most: number): DemoImage[] {
  const names = listFiles(folder).filter((name) => EXTENSIONS.test(name));
  if (names.length === 0)
    throw new StartError(`There are no pictures (JPEG, PNG, WebP, GIF, TIFF, AVIF) in ${folder}.`);
  return names
    .toSorted()
    .slice(0, most)
    .map((name) => ({ name, path: join(folder, name), trueClass: trueClassOf(name, labels) }));
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  } catch {
    throw new StartError(
      `The folder ${folder} cannot be read. Give one that exists: make demo IMAGES=/path/to/pictures`,
    );
  }
}

function trueClassOf(name: string, labels: readonly string[]): string | undefined {
  const candidates = [basename(dirname(name)), basename(name).replace(/[_-]?\d*\.\w+$/, "")];
  return candidates.find((candidate) => labels.includes(candidate));
}
