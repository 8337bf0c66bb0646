import axe from "axe-core";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";

/**
 * What axe-core finds serious or critical on a page, a line each: the rule, what it asks for, and where.
 * @param rule the only one to look at; all of them when it is left out
 */
export async function seriousFaults(page: Page, rule?: "color-contrast"): Promise<string[]> {
  const options: RunOptions = {
    resultTypes: ["violations"],
    preload: false,
    ...(rule && { runOnly: [rule] }),
  };
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target.join(" ")} – ${failureSummary}`),
    );
}
