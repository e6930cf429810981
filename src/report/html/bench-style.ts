import { html } from "./markup.ts";

/** Eleven fills that keep apart from each other and from either ground, and what tables of figures need. */
export const benchStyle = html`<style>
:root { --part-0: #2f6fcf; --part-1: #c2570c; --part-2: #b3261e; --part-3: #d58a8a; --part-4: #8b5fbf; --part-5: #b98a00; --part-6: #1d7a54;
  --part-7: #6a9a2d; --part-8: #4aa3a3; --part-9: #7a828c; --part-10: #e3e6ea; --share: #ffffff; --idle: #1c1f23; }
@media (prefers-color-scheme: dark) { :root { --part-0: #7db1ff; --part-1: #ffab66; --part-2: #ff8f8f; --part-3: #b46a6a; --part-4: #c9a6f5;
  --part-5: #e6c65c; --part-6: #6fd6a5; --part-7: #a9d46b; --part-8: #7fd1d1; --part-9: #9aa3ad; --part-10: #2b3138; --share: #14171a; --idle: #e8eaed; } }
.part-0 { fill: var(--part-0); } .part-1 { fill: var(--part-1); } .part-2 { fill: var(--part-2); } .part-3 { fill: var(--part-3); }
.part-4 { fill: var(--part-4); } .part-5 { fill: var(--part-5); } .part-6 { fill: var(--part-6); } .part-7 { fill: var(--part-7); }
.part-8 { fill: var(--part-8); } .part-9 { fill: var(--part-9); } .part-10 { fill: var(--part-10); }
.share { font-size: 11px; fill: var(--share); } .part-10 + .share { fill: var(--idle); }
.legend rect { stroke: var(--rule); }
td.figure { text-align: right; white-space: nowrap; }
</style>`;
