import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

/** Opens Debian's Chromium without a window; whoever opens it closes it. Throws when it is not installed. */
export async function openChromium(): Promise<Browser> {
  const folders = process.env["PATH"]?.split(delimiter) ?? [];
  const executablePath = folders.map((folder) => join(folder, "chromium")).find(existsSync);
  if (executablePath === undefined)
    throw new Error(
      "There is no chromium in the PATH. On Debian, test/support/install-debian.sh chromium installs it.",
    );
  return chromium.launch({ executablePath });
}
