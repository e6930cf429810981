const gravity = 9.8;
const cartMass = 1;
const poleMass = 0.1;
const totalMass = cartMass + poleMass;
/** Half of the pole, in metres. */
const length = 0.5;
const poleMassLength = poleMass * length;
/** In newtons. */
const push = 10;
/** Seconds of a step. */
const tau = 0.02;

/** How far the cart may go either way, in metres. */
export const positionMax = 2.4;
/** How far the pole may lean either way, in radians: 12 degrees. */
export const leanMax = (12 * 2 * Math.PI) / 360;

/** Position in metres, velocity in metres a second, lean of the pole in radians, and its speed in radians a second. */
export type CartState = readonly [position: number, velocity: number, lean: number, spin: number];

/**
 * A pole on a cart (Barto, Sutton and Anderson 1983), in the equations, constants and Euler steps of Gymnasium's CartPole-v1; its float64 states
 * are met to 1e-10.
 */
export class CartPole {
  position: number;
  velocity: number;
  lean: number;
  spin: number;

  constructor([position, velocity, lean, spin]: CartState) {
    this.position = position;
    this.velocity = velocity;
    this.lean = lean;
    this.spin = spin;
  }

  /** A new pole, in another place. */
  restart([position, velocity, lean, spin]: CartState): void {
    this.position = position;
    this.velocity = velocity;
    this.lean = lean;
    this.spin = spin;
  }

  get state(): CartState {
    return [this.position, this.velocity, this.lean, this.spin];
  }

  /** Whether the cart left its track or the pole fell. */
  get isOver(): boolean {
    const { position, lean } = this;
    return position < -positionMax || position > positionMax || lean < -leanMax || lean > leanMax;
  }

  /** One step of a push to the right, or else to the left. */
  step(right: boolean): void {
    const { velocity, lean, spin } = this;
    const sine = Math.sin(lean);
    const cosine = Math.cos(lean);
    const force = right ? push : -push;
    const pull = (force + poleMassLength * spin * spin * sine) / totalMass;
    const spinChange = (gravity * sine - cosine * pull) / (length * (4 / 3 - (poleMass * cosine * cosine) / totalMass));
    const velocityChange = pull - (poleMassLength * spinChange * cosine) / totalMass;
    this.position += tau * velocity;
    this.velocity = velocity + tau * velocityChange;
    this.lean = lean + tau * spin;
    this.spin = spin + tau * spinChange;
  }
}
