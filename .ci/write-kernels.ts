/**
 * Compiles src/model/kernels/kernels.as to kernels.wasm, or to the file that is named. CI checks that the committed one is current.
 * The compiler, 100 MB, is fetched when it is needed: nobody else has to install it.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const compiler = "assemblyscript@0.28.20";
const out = resolve(process.argv[2] ?? "src/model/kernels/kernels.wasm");
// The compiler takes files by the name .ts alone; in the repository such a file would be TypeScript.
const folder = mkdtempSync(join(tmpdir(), "faraday-kernels-"));
try {
  copyFileSync("src/model/kernels/kernels.as", join(folder, "kernels.ts"));
  const options = ["-O3", "--runtime", "stub", "--enable", "simd", "--importMemory", "--noAssert", "--outFile", out];
  const command = ["exec", "--yes", `--package=${compiler}`, "--", "asc", "kernels.ts", ...options];
  execFileSync("npm", command, { cwd: folder, stdio: "inherit" });
} finally {
  rmSync(folder, { recursive: true });
}
