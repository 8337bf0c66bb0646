import type { Reporter, TestModule } from "vitest/node";

/** Ends a run's output with one line that counts it: `N passed, N failed`, and `, N skipped` when any was. A file that cannot be loaded counts as one that failed. */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      if (module.state() === "failed" && !tests.some((test) => test.result().state === "failed"))
        count.failed++;
      for (const test of tests) {
        const { state } = test.result();
        count[state === "pending" ? "failed" : state]++;
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    process.once("exit", () =>
      process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`),
    );
  }
}
