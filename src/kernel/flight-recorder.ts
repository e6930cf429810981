import type { AuditSegment } from "../core/audit.ts";
import type { EpisodeKey } from "../core/episode.ts";
import type { Syscall, SyscallResult } from "../core/syscall.ts";
import { canonicalJson } from "./canonical-json.ts";

/**
 * The kernel's append-only record of every syscall: its intent before the effect, its outcome after. Records are kept
 * as canonical JSON lines (keys in order, no spaces), so that equal records are equal bytes.
 */
export class FlightRecorder {
  readonly worker: number;
  readonly epoch: number;
  #sequence = 0;
  #first = 0;
  #lines: string[] = [];

  constructor(place: { readonly worker: number; readonly epoch: number }) {
    this.worker = place.worker;
    this.epoch = place.epoch;
  }

  /** How many records were ever made; also the sequence of the next. */
  get count(): number {
    return this.#sequence;
  }

  start(episode: EpisodeKey): void {
    const id = JSON.stringify(episode.id);
    const { seed, task, weights } = episode;
    const sequence = this.#sequence;
    this.#append(
      `{"episode":${id},"kind":"start","seed":${seed},"sequence":${sequence},"task":${JSON.stringify(task)},"weights":${weights}}`,
    );
  }

  intent(episode: string, step: number, syscall: Syscall): void {
    const args = canonicalJson(syscall?.args);
    const name = canonicalJson(syscall?.syscall);
    const sequence = this.#sequence;
    this.#append(
      `{"args":${args},"episode":${JSON.stringify(episode)},"kind":"intent","sequence":${sequence},"step":${step},"syscall":${name}}`,
    );
  }

  outcome(episode: string, step: number, result: SyscallResult): void {
    const id = JSON.stringify(episode);
    const error = result.error === undefined ? "" : `"error":${JSON.stringify(result.error)},`;
    const violations = result.violations.length === 0 ? "[]" : canonicalJson(result.violations);
    const sequence = this.#sequence;
    this.#append(
      `{"episode":${id},${error}"kind":"outcome","outcome":"${result.outcome}","sequence":${sequence},"step":${step},"verdict":"${result.verdict}","violations":${violations}}`,
    );
  }

  end(episode: string, end: { readonly outcome: string; readonly reward: number; readonly cost: number }): void {
    const sequence = this.#sequence;
    const { cost, outcome, reward } = end;
    this.#append(
      `{"cost":${canonicalJson(cost)},"episode":${JSON.stringify(episode)},"kind":"end","outcome":${JSON.stringify(outcome)},"reward":${canonicalJson(reward)},"sequence":${sequence}}`,
    );
  }

  /** Hands over what was recorded since the last seal, and keeps none of it. */
  seal(): AuditSegment {
    const lines = this.#lines;
    const text = lines.length === 0 ? "" : `${lines.join("\n")}\n`;
    const segment = {
      worker: this.worker,
      epoch: this.epoch,
      first: this.#first,
      count: lines.length,
      bytes: encoder.encode(text),
    };
    this.#lines = [];
    this.#first = this.#sequence;
    return segment;
  }

  #append(line: string): void {
    this.#lines.push(line);
    this.#sequence++;
  }
}

const encoder = new TextEncoder();
