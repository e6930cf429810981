/**
 * A policy module for the kernel: warns of every push after which the cart is farther than so many metres from the middle. The push has
 * happened, and has its price.
 * @param {{ metres: number }} options
 */
export default function bandPolicy({ metres }) {
  const found = { decision: "warn", rule: "band", severity: "low", description: `farther than ${metres} m out` };
  return {
    after: ({ syscall }, _reply, position) => (syscall === "cart.push" && Math.abs(position) > metres ? found : null),
  };
}
