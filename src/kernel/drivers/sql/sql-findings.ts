import type { Violation } from "../../../core/syscall.ts";
import type { SqlEffect, SqlLimits, SqlRules } from "./sql-rules.ts";

/** The rules that judge one text, and what they found. */
export class SqlFindings {
  rules: readonly SqlRules[] = [];
  /** Found in the statement under way and to be kept from happening, in the order found. */
  found: Violation[] = [];
  /** Found in the text by rules that only watch. */
  watched: Violation[] = [];
  #watchedBefore = 0;

  beginText(rules: readonly SqlRules[]): void {
    this.rules = rules;
    if (this.watched.length > 0) this.watched = [];
  }

  beginStatement(): void {
    if (this.found.length > 0) this.found = [];
    this.#watchedBefore = this.watched.length;
  }

  /** Forgets what was found in the statement under way: it never runs. */
  forget(): void {
    this.found = [];
    this.watched.length = this.#watchedBefore;
  }

  /** Takes back what was found in the statement under way, as attempts that did not work. */
  takeAttempts(): readonly Violation[] {
    const attempts = [...this.found, ...this.watched.slice(this.#watchedBefore)];
    this.forget();
    return attempts.map((broken) => Object.freeze({ ...broken, severity: "low" as const }));
  }

  judge(effect: SqlEffect, table: string): void {
    for (const rules of this.rules) this.add(rules.effect(effect, table));
  }

  add(broken: Violation | null): void {
    if (broken === null) return;
    const found = broken.blocked ? this.found : this.watched;
    if (!found.includes(broken)) found.push(broken);
  }

  /** Notes what a text asked for in vain, once for every rule. */
  addAttempt(broken: Violation | null): void {
    if (broken === null) return;
    const found = broken.blocked ? this.found : this.watched;
    if (!found.some(({ policy, rule }) => policy === broken.policy && rule === broken.rule)) found.push(broken);
  }

  /** Notes a limit of the text on the rules whose own limit it is: all others would have let it go on. */
  exceed(limit: keyof SqlLimits, strictest: SqlLimits): void {
    for (const rules of this.rules) if (rules.limits[limit] <= strictest[limit]) this.add(rules.exceeded(limit));
  }

  /** Notes the limits that were exceeded of rules that only watch. */
  watchLimits(usage: Partial<SqlLimits>): void {
    for (const rules of this.rules) {
      if (rules.shadow !== true) continue;
      for (const [limit, used] of Object.entries(usage) as [keyof SqlLimits, number][])
        if (used > rules.limits[limit]) this.add(rules.exceeded(limit));
    }
  }
}
