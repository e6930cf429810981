import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { AuditRecord } from "../../src/core/audit.ts";
import type { Driver } from "../../src/core/env.ts";
import type { Syscall, SyscallResult } from "../../src/core/syscall.ts";
import type { KernelSession } from "../../src/kernel/kernel-session.ts";
import { KernelSpace, type KernelSpaceOptions } from "../../src/kernel/kernel-space.ts";
import { metered } from "../../src/kernel/metered.ts";
import { ToolSet } from "../../src/kernel/tool-set.ts";
import { episodeKey, shop } from "./shop-kernel.ts";

export const moduleFile = (name: string): string => fileURLToPath(new URL(`modules/${name}.ts`, import.meta.url));

/** A bank of tools, a chat that says what it is told, and a model that counts tokens. */
export function bankDrivers(done: Syscall[] = []): Readonly<Record<string, Driver>> {
  const bank = new ToolSet()
    .register("pay", z.strictObject({ amount: z.number(), to: z.string().default("nobody") }), (args) => {
      done.push({ syscall: "bank.pay", args });
      return { paid: args.amount };
    })
    .register("look", z.strictObject({}), () => ({ balance: 12 }));
  const operations: Driver["operations"] = {
    say: (args) => args.text,
    fail: (args) => {
      throw new Error(String(args.text));
    },
    later: async (args) => args.text,
    complete: (args) => metered({ said: "hello" }, args.usage as object),
  };
  return { bank, chat: { operations }, llm: { operations } };
}

export async function openBank(
  options: KernelSpaceOptions = {},
  drivers: Readonly<Record<string, Driver>> = bankDrivers(),
): Promise<{ readonly kernel: KernelSpace; readonly session: KernelSession; readonly records: () => AuditRecord[] }> {
  const kernel = new KernelSpace({ drivers: { sql: { database: shop } }, ...options });
  await kernel.boot();
  const session = kernel.open({ episode: episodeKey(1), drivers });
  const records = () => {
    const text = new TextDecoder().decode(kernel.recorder.seal().bytes).trimEnd();
    return text.split("\n").map((line) => JSON.parse(line) as AuditRecord);
  };
  return { kernel, session, records };
}

/** What a synchronous syscall answers. */
export function call(session: KernelSession, syscall: string, args: unknown = {}): SyscallResult {
  const result = session.execute({ syscall, args } as Syscall);
  if (result instanceof Promise) throw new Error(`${syscall} is synchronous here`);
  return result;
}

export const pay = (session: KernelSession, amount: unknown, to = "alice"): SyscallResult =>
  call(session, "bank.pay", { amount, to });
