import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { advisingQuestions } from "./questions.ts";
import { advisingScript } from "./world.ts";

// Writes the data set: node --conditions=faraday-source bench/advising/write.ts DIR
const [folder = "advising"] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "questions.json"), JSON.stringify(advisingQuestions(), null, 1));
writeFileSync(join(folder, "advising.sql"), advisingScript());
