#!/usr/bin/env node
import { nodeVersionProblem } from "./commands/node-version.ts";

// Old versions of Node must read this file far enough to say that they are too old; all else is loaded afterwards.
const problem = nodeVersionProblem(process.versions.node);
if (problem === null) {
  import("./commands/main.ts").then(({ main }) => main());
} else {
  console.error(problem);
  process.exitCode = 2;
}
