interface Push {
  readonly syscall: string;
}

/**
 * A policy module for the kernel: warns of every push after which the cart is farther than `metres` from the middle. The push has happened;
 * it has its price.
 */
export default function bandPolicy({ metres }: { readonly metres: number }) {
  const found = { decision: "warn", rule: "band", severity: "low", description: `farther than ${metres} m out` };
  return {
    after: ({ syscall }: Push, _reply: unknown, position: unknown) =>
      syscall === "cart.push" && typeof position === "number" && Math.abs(position) > metres ? found : null,
  };
}
