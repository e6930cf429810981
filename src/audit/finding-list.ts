import type { AuditFinding } from "./audit-finding.ts";

/** Findings up to a bound; those beyond are counted. */
export class FindingList {
  readonly #listed: AuditFinding[] = [];
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get listed(): readonly AuditFinding[] {
    return this.#listed;
  }

  get count(): number {
    return this.#count;
  }

  add(finding: AuditFinding): void {
    this.#count++;
    if (this.#listed.length < this.#max) this.#listed.push(finding);
  }
}
