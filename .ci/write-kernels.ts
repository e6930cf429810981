/**
 * Compiles src/model/kernels/*.as to kernels.wasm, or to the file that is named. CI checks that the committed one is current.
 * The compiler, 100 MB, is fetched when it is needed: nobody else has to install it.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

const compiler = "assemblyscript@0.28.20";
const out = resolve(process.argv[2] ?? "src/model/kernels/kernels.wasm");
// The compiler takes files by the name .ts alone; in the repository such a file would be TypeScript.
const folder = mkdtempSync(join(tmpdir(), "faraday-kernels-"));
try {
  for (const file of globSync("src/model/kernels/*.as"))
    copyFileSync(file, join(folder, `${basename(file, ".as")}.ts`));
  const options = ["-O3", "--runtime", "stub", "--enable", "simd", "--importMemory", "--noAssert", "--outFile", out];
  const command = ["exec", "--yes", `--package=${compiler}`, "--", "asc", "index.ts", ...options];
  execFileSync("npm", command, { cwd: folder, stdio: "inherit" });
} finally {
  rmSync(folder, { recursive: true });
}
