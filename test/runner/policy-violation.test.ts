import { describe, expect, it } from "vitest";
import {
  PolicyViolation,
  PolicyViolationError,
  policyViolationTypes,
  severityPenalties,
} from "../../src/runner/policy-violation.ts";
import { readReport } from "../../src/runner/reported-violation.ts";

const fields = {
  violationType: "blocked",
  policyName: "sql",
  description: "DROP is denied",
  severity: "high",
} as const;

describe("a policy violation", () => {
  it("21: has one of exactly four types", () => {
    expect(policyViolationTypes).toEqual(["blocked", "modified", "warned", "signal_sent"]);
  });

  it("22: has type, policy, description, severity, a UTC time, and is not blocked unless that is said", () => {
    const before = Date.now();
    const violation = new PolicyViolation(fields);
    expect(violation).toMatchObject({ ...fields, actionBlocked: false });
    expect(violation.timestamp.getTime()).toBeGreaterThanOrEqual(before);
    expect(violation.timestamp.toISOString()).toMatch(/Z$/);
  });

  it("23, 24: costs 100, 50, 10 or 1 by its severity where no penalty is given", () => {
    expect(severityPenalties).toEqual({ critical: 100, high: 50, medium: 10, low: 1 });
    const prices = Object.keys(severityPenalties).map(
      (severity) => new PolicyViolation({ ...fields, severity, penalty: null }).penalty,
    );
    expect(prices).toEqual([100, 50, 10, 1]);
  });

  it.each(["fatal", "", "toString", "__proto__", "CRITICAL"])("25: of unknown severity %j costs 10", (severity) => {
    expect(new PolicyViolation({ ...fields, severity }).penalty).toBe(10);
  });

  it.each([0, 0.5, 7, 1000])("26: an explicit penalty of %d is never overwritten", (penalty) => {
    expect(new PolicyViolation({ ...fields, severity: "critical", penalty }).penalty).toBe(penalty);
  });

  it("26: a penalty that would be a reward is none", () => {
    for (const penalty of [-5, Number.NaN]) expect(new PolicyViolation({ ...fields, penalty }).penalty).toBe(50);
  });

  it("27, 28, 29, 140: is thrown as an error that holds it and says what it was", () => {
    const violation = new PolicyViolation(fields);
    const error = new PolicyViolationError(violation);
    expect(error).toBeInstanceOf(Error);
    expect(error.violation).toBe(violation);
    expect(error.message).toBe("Policy violation: DROP is denied");
  });

  it("34: cannot be changed by the callback that is handed it", () => {
    const violation = new PolicyViolation(fields) as { severity: string };
    expect(() => {
      violation.severity = "low";
    }).toThrow(TypeError);
  });
});

describe("a report", () => {
  const expected = { policyName: "sql", description: "no", severity: "high", actionBlocked: true };
  class Reported {
    get policy_name() {
      return "sql";
    }
    get description() {
      return "no";
    }
    get severity() {
      return "high";
    }
    get action_blocked() {
      return true;
    }
  }

  it.each<[string, unknown]>([
    ["an object", { policy: "sql", description: "no", severity: "high", blocked: true }],
    ["camel case", { policyName: "sql", description: "no", severity: "high", actionBlocked: true }],
    ["snake case", { policy_name: "sql", description: "no", severity: "high", action_blocked: true }],
    ["an object of a class", new Reported()],
    [
      "a map",
      new Map<string, unknown>([
        ["policy", "sql"],
        ["description", "no"],
        ["severity", "high"],
        ["blocked", true],
      ]),
    ],
  ])("92: is read from %s", (_, reported) => {
    expect(readReport(reported, [], "low")).toMatchObject(expected);
  });

  it("30, 92: is read from four arguments, and has the severity low where a polled one says none", () => {
    expect(readReport("sql", ["no", "high", true], "medium")).toMatchObject(expected);
    expect(readReport({ policy: "sql" }, [], "low")).toMatchObject({
      severity: "low",
      penalty: 1,
      actionBlocked: false,
    });
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    [
      "an object that throws",
      {
        get policy() {
          throw new Error("hidden");
        },
      },
    ],
  ])("91, 139: that cannot be read counts as a critical violation: %s", (_, reported) => {
    expect(readReport(reported, [], "low")).toMatchObject({ severity: "critical", penalty: 100, actionBlocked: true });
  });
});
