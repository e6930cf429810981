import { expect, test } from "vitest";
import { FaradayError } from "../../src/index.ts";
import { withinDeadline } from "../../src/run/within-deadline.ts";

test("what comes in time is passed on, what never comes is an error that says what was waited for", async () => {
  await expect(withinDeadline(Promise.resolve("stored"), 60_000, "late")).resolves.toBe("stored");
  await expect(withinDeadline(Promise.reject(new Error("refused")), 60_000, "late")).rejects.toThrow("refused");
  const never = withinDeadline(new Promise(() => {}), 10, "the store has not taken a batch");
  await expect(never).rejects.toThrow(FaradayError);
  await expect(never).rejects.toThrow("the store has not taken a batch");
});
