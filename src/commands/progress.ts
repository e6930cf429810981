import type { RunEvent } from "../run/events.ts";
import type { Output } from "./command.ts";

/** Shows a run while it goes on. */
export interface Progress extends Disposable {
  readonly show: (event: RunEvent) => void;
  /** The run directory, once it is known. */
  readonly dir: string | undefined;
}

/** On a terminal, one line that lives; elsewhere, plain lines at a rate that a log can bear. */
export function watchProgress(output: Output, now: () => number = performance.now.bind(performance)): Progress {
  const line = output.isTTY === true ? liveLine(output) : plainLines(output, now);
  const state: { dir?: string; startedAt: number; startedWith: number | undefined } = {
    startedAt: now(),
    startedWith: undefined,
  };
  const show = (event: RunEvent): void => {
    switch (event.type) {
      case "run-start":
        state.dir = event.dir;
        line.say(`run ${event.run}: ${event.iterations} iterations on ${count(event.workers, "worker")}, ${event.dir}`);
        return;
      case "run-resume":
        state.dir = event.dir;
        line.say(
          `run ${event.run} goes on after iteration ${event.iteration} of ${event.iterations} on ${count(event.workers, "worker")}, ${event.dir}`,
        );
        return;
      case "evaluation-end":
        state.startedAt = now();
        line.say(`${evaluationNames[event.phase]}: ${rates(event.measure.taskAccuracy, event.measure.violationRate)}`);
        return;
      case "iteration-end": {
        state.startedWith ??= event.iteration - 1;
        const secondsLeft = left(event, (now() - state.startedAt) / 1000, state.startedWith);
        line.update(iterationText(event, secondsLeft), event.iteration === event.iterations);
        return;
      }
      case "epoch-end": {
        const secondsLeft = left(
          { iteration: event.epoch, iterations: event.epochs },
          (now() - state.startedAt) / 1000,
          0,
        );
        line.update(epochText(event, secondsLeft), event.epoch === event.epochs);
        return;
      }
      case "task-failure":
        line.say(`a task failed in a worker: ${event.reason}`);
        return;
      case "worker-unended":
        line.say(event.reason);
        return;
      case "stray-error":
        line.say(`${event.episode}: ${event.reason}`);
        return;
      case "task-quarantined":
        line.say(`task ${event.task} is quarantined, it ended ${event.faults} workers; the last: ${event.reason}`);
        return;
      case "telemetry-warning":
        line.say(event.message);
        return;
      case "signal":
        line.say(`${event.signal} is on its way to ${event.episode}`);
        return;
      case "episode-quarantined":
        line.say(`episode ${event.episode} is quarantined: ${event.reason}`);
        return;
      case "run-end":
        line.clear();
        return;
      default:
        event satisfies never;
    }
  };
  return {
    show,
    get dir() {
      return state.dir;
    },
    [Symbol.dispose]: () => line.clear(),
  };
}

/** Where progress goes: what is said stays, what is updated may be replaced. */
interface Line {
  say(text: string): void;
  update(text: string, last: boolean): void;
  clear(): void;
}

const evaluationNames = {
  ungoverned: "without the kernel",
  before: "before training",
  after: "after training",
  eval: "evaluation",
  train: "training",
};

function liveLine(output: Output): Line {
  let shown = false;
  const clear = () => {
    if (shown) output.write("\r\x1b[K");
    shown = false;
  };
  return {
    say: (text) => {
      clear();
      output.write(`${text}\n`);
    },
    update: (text) => {
      clear();
      // A line that wraps could not be cleared.
      output.write(text.slice(0, (output.columns ?? 80) - 1));
      shown = true;
    },
    clear,
  };
}

const plainIntervalMs = 5000;

function plainLines(output: Output, now: () => number): Line {
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    say: (text) => output.write(`${text}\n`),
    update: (text, last) => {
      if (!last && now() - saidAt < plainIntervalMs) return;
      saidAt = now();
      output.write(`${text}\n`);
    },
    clear: () => {},
  };
}

function iterationText(event: RunEvent & { readonly type: "iteration-end" }, secondsLeft: number): string {
  const { accuracy, violationRate, episodesPerSecond } = event.metrics;
  return [
    `iteration ${event.iteration}/${event.iterations}`,
    ...(accuracy === undefined || violationRate === undefined ? [] : [rates(accuracy, violationRate)]),
    ...(episodesPerSecond === undefined ? [] : [`${Math.round(episodesPerSecond)} episodes/s`]),
    `${duration(secondsLeft)} left`,
  ].join(", ");
}

function epochText(event: RunEvent & { readonly type: "epoch-end" }, secondsLeft: number): string {
  const { loss, validationLoss } = event.metrics;
  return [
    `epoch ${event.epoch}/${event.epochs}`,
    ...(loss === undefined ? [] : [`loss ${loss.toFixed(4)} a token`]),
    ...(validationLoss === undefined ? [] : [`validation ${validationLoss.toFixed(4)}`]),
    `${duration(secondsLeft)} left`,
  ].join(", ");
}

function rates(accuracy: number, violationRate: number): string {
  return `accuracy ${(100 * accuracy).toFixed(1)} %, violations ${(100 * violationRate).toFixed(1)} %`;
}

/** What remains takes as long, an iteration, as what this process has done. */
function left({ iteration, iterations }: { iteration: number; iterations: number }, spent: number, before: number) {
  return (spent / Math.max(1, iteration - before)) * (iterations - iteration);
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
