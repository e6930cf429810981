// Prints `N passed, N failed` from vitest's JSON report. Plain JavaScript: it must run on whatever Node there is.
import { existsSync, readFileSync } from "node:fs";

const [, , file, failedStep] = process.argv;
const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { numPassedTests: 0, numFailedTests: 0 };
// A step that failed outside the tests counts as one more.
const failed = report.numFailedTests || Number(failedStep);
console.log(`${report.numPassedTests} passed, ${failed} failed`);
