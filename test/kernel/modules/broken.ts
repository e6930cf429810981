/** A judge that does what its option says, at each of its moments. */
export default function broken({ how, when }: { readonly how: string; readonly when: string }) {
  const answers: Record<string, () => unknown> = {
    throws: () => {
      throw new Error("out of order");
    },
    "throws nothing": () => {
      throw undefined;
    },
    promises: async () => [],
    "answers a number": () => 7,
    "answers an unknown decision": () => ({ decision: "permit", rule: "x" }),
    "answers an unknown field": () => ({ decision: "warn", rule: "x", blocked: false }),
    "transforms into nothing": () => ({ decision: "transform", rule: "x" }),
  };
  return { [when]: () => answers[how]?.() };
}
