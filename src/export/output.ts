/** Where an export goes. It is nothing until it is kept: one that is disposed of before leaves no trace. */
export interface ExportOutput extends AsyncDisposable {
  write(bytes: string | Uint8Array): Promise<void>;
  /** Bytes that were written. */
  readonly bytes: number;
  /** Puts the whole in its place. */
  keep(): Promise<void>;
}
