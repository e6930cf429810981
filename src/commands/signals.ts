const interrupted = 130;

/** The first SIGINT or SIGTERM aborts the returned signal, the second ends the process at once. */
export function abortOnSignals(tell: (text: string) => void): {
  readonly signal: AbortSignal;
  /** Leaves later signals to their defaults. */
  release(): void;
} {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(interrupted);
    tell("finishing the batch in hand; press again to stop at once");
    controller.abort(new Error(`stopped by ${name}`));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    release: () => process.off("SIGINT", onSignal).off("SIGTERM", onSignal),
  };
}
