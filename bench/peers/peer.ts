import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { addressOf } from "../load/served.ts";

/** Agent Lightning's server with its store in memory; `undefined`, and a line that says how to have it, where it is not installed. */
export async function agentLightningServer(resources: AsyncDisposableStack): Promise<string | undefined> {
  const python = process.env.FARADAY_PEER_PYTHON ?? "python3";
  const script = fileURLToPath(new URL("agentlightning_store.py", import.meta.url));
  const child = spawn(python, [script], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: "True" },
  });
  resources.defer(() => void child.kill());
  try {
    return await addressOf(child);
  } catch {
    process.stderr.write(
      "store-http: skipped Agent Lightning, which is not installed; pip install agentlightning==0.3.0, and name that Python in FARADAY_PEER_PYTHON\n",
    );
    return undefined;
  }
}
