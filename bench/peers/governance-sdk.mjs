/**
 * The Agent Governance Toolkit's TypeScript SDK: a call that one of three rules permits by its arguments. Second argument: `decided`, or
 * `recorded` for the entry in its hash-chained audit log too. Prints a line of JSON: decisions a second over at least argv[2] seconds.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const [, , secondsLeast, kind] = process.argv;
const name = "@microsoft/agent-governance-sdk";
const require = createRequire(resolve(process.env.FARADAY_PEER_MODULES ?? ".", "peers.js"));
const { AuditLogger, PolicyEngine } = require(name);
const { version } = JSON.parse(readFileSync(join(dirname(dirname(require.resolve(name))), "package.json"), "utf8"));

const engine = new PolicyEngine();
engine.loadPolicy({
  name: "bank",
  rules: [
    { name: "idle", condition: "action.name == 'idle'", ruleAction: "allow" },
    {
      name: "pay",
      condition: "action.name == 'pay' and amount <= 100 and to in ['alice', 'bob']",
      ruleAction: "allow",
    },
    { name: "close", condition: "action.name == 'close'", ruleAction: "deny" },
  ],
  default_action: "deny",
});
const call = { action: { name: "pay" }, amount: 20, to: "alice" };
const audit = new AuditLogger();

function decide() {
  const { allowed } = engine.evaluatePolicy("agent", call);
  if (!allowed) throw new Error("expected a permitted call");
  if (kind === "recorded") audit.log({ agentId: "agent", action: "bank.pay", decision: "allow" });
}

function chunk() {
  for (let index = 0; index < 1000; index++) decide();
  return 1000;
}

chunk();
let count = 0;
const started = performance.now();
while (performance.now() - started < secondsLeast * 1000) count += chunk();
process.stdout.write(`${JSON.stringify({ perSecond: (count * 1000) / (performance.now() - started), version })}\n`);
