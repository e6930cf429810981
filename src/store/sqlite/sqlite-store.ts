import type { LightningStore } from "../lightning-store.ts";
export class SqliteStore {
  static open(path: string, _options: { readonly mustExist: boolean }): LightningStore {
    throw new Error(`not built: ${path}`);
  }
}
