import { Instance, Module } from "../../src/model/kernels/web-assembly.ts";

/** `(module (func (export "f") (loop (br 0))))` */
export function wasmLoop(): void {
  const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0];
  const code = [10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11];
  const { exports } = new Instance(new Module(Uint8Array.from([...bytes, ...code])), {});
  (exports as { f: () => void }).f();
}
