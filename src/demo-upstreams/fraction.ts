import { hash } from './hash.ts'

/** Gives a number between 0 and 1, both excluded, that depends on the two numbers only. */
export function fraction(seed: number, counter: number): number {
  return (hash(seed, counter) + 0.5) / 2 ** 32
}
