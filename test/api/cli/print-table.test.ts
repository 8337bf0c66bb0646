import { expect, test } from "vitest";
import { printTable } from "../../../api/cli/print-table.ts";

test("columns are as wide as what they hold, and a line ends where its text does", () => {
  expect(
    printTable(
      ["IMAGE", "LABEL"],
      [
        ["a.png", "table"],
        ["", "–"],
        ["long.png", "x"],
      ],
    ),
  ).toBe(["IMAGE     LABEL", "a.png     table", "          –", "long.png  x", ""].join("\n"));
});

test("only the first column is cut when 80 columns do not hold all", () => {
  const [, line = ""] = printTable(["IMAGE", "ID"], [["i".repeat(100), "d".repeat(30)]]).split("\n");
  expect(line).toBe(`${"i".repeat(47)}…  ${"d".repeat(30)}`);
  expect(line).toHaveLength(80);
});
