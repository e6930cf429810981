import fc from "fast-check";
import { expect, test } from "vitest";
import { agentSignals } from "../../src/core/audit.ts";
import { SignalBoard, signalBoardMemory } from "../../src/run/signal-board.ts";
import { SignalReceiver } from "../../src/run/signal-receiver.ts";

test("every reader of a board gets every signal once, in order, whenever it asks", () => {
  const posts = fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.constantFrom(...agentSignals)), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(posts, fc.infiniteStream(fc.boolean()), (signals, asks) => {
      const memory = signalBoardMemory();
      const [board, eager, late] = [new SignalBoard(memory), new SignalBoard(memory), new SignalBoard(memory)];
      const heard = [];
      for (const [episode, signal] of signals) {
        board.post(episode, signal);
        if (asks.next().value) heard.push(...eager.unread());
      }
      heard.push(...eager.unread());
      const expected = signals.map(([episode, signal], slot) => ({ slot, episode: episode.toWellFormed(), signal }));
      expect(heard).toEqual(expected);
      expect(late.unread()).toEqual(expected);
      expect(late.unread()).toEqual([]);
    }),
  );
});

test("a reader that waits is woken", async () => {
  const memory = signalBoardMemory();
  const [board, reader] = [new SignalBoard(memory), new SignalBoard(memory)];
  const waiting = reader.changed();
  board.post("train-1-0-0", "SIGTERM");
  await waiting;
  expect(reader.unread()).toHaveLength(1);
});

test("a receiver that is disposed of waits no longer", async () => {
  const memory = signalBoardMemory();
  const receiver = new SignalReceiver(new SignalBoard(memory), { signal: () => false });
  const listening = receiver.listen();
  new SignalBoard(memory).post("train-1-0-0", "SIGTERM");
  receiver[Symbol.dispose]();
  await listening;
});

test("a full board says so instead of losing a signal", () => {
  const board = new SignalBoard(signalBoardMemory());
  for (let index = 0; index < 1024; index++) board.post(`e${index}`, "SIGCONT");
  expect(() => board.post("one", "SIGKILL")).toThrow("a run takes 1024 signals");
  expect(() => board.post("x".repeat(200), "SIGKILL")).toThrow();
});

test("a receiver sends each attempt at an episode all that was sent to the episode", () => {
  const memory = signalBoardMemory();
  const board = new SignalBoard(memory);
  const sent: string[] = [];
  const open = new Set<string>();
  const receiver = new SignalReceiver(new SignalBoard(memory), {
    signal: (episode, signal) => open.has(episode) && sent.push(`${episode} ${signal}`) > 0,
  });
  const slot = board.post("a", "SIGSTOP");
  receiver.poll();
  expect([sent, board.taken(slot)]).toEqual([[], false]);
  open.add("a").add("a~2");
  receiver.begin("a");
  expect([sent, board.taken(slot)]).toEqual([["a SIGSTOP"], true]);
  board.post("a", "SIGCONT");
  receiver.poll();
  receiver.end("a");
  receiver.begin("a~2");
  expect(sent).toEqual(["a SIGSTOP", "a SIGCONT", "a~2 SIGSTOP", "a~2 SIGCONT"]);
});
