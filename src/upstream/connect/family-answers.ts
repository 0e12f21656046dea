import type { Resolver } from 'node:dns/promises'
import type { AddressFamily } from './reachable-families.ts'

/** An IP address of a name. */
export interface FoundAddress {
  readonly address: string
  readonly family: AddressFamily
}

/** An error of a question. */
export type CodedError = Error & { readonly code: string }

/** The answer to the question for one family: addresses, or an error. */
export interface FamilyAnswer {
  readonly family: AddressFamily
  readonly addresses: readonly FoundAddress[]
  readonly ttlMs: number
  readonly error: CodedError | undefined
}

/** The time for which the addresses of one family wait for those of the other one, in ms. */
const otherFamilyMs = 200

/**
 * Asks a DNS server for the A and AAAA records of a name. Some servers do not answer one of the two questions (RFC
 * 4074), which takes seconds. So nothing waits for a family that this machine cannot reach if the other one has
 * addresses.
 *
 * @param reachable The families that this machine can reach.
 * @param isUrgent True if the addresses of one family are better than a wait. The question for the other one counts as
 *   failed if its answer is late.
 * @returns The answers. A family that nothing has waited for has none.
 */
export async function askFamilies(
  resolver: Resolver,
  name: string,
  reachable: readonly AddressFamily[],
  isUrgent: boolean,
): Promise<readonly FamilyAnswer[]> {
  const questions = [
    familyAnswer(4, resolver.resolve4(name, { ttl: true })),
    familyAnswer(6, resolver.resolve6(name, { ttl: true })),
  ]
  const all = Promise.all(questions)
  const hasUsable = ({ family, addresses }: FamilyAnswer) => addresses.length > 0 && reachable.includes(family)
  const first = await Promise.race([all, firstOf(questions, hasUsable)])
  if (Array.isArray(first)) return first
  if (reachable.length === 1) return [first]
  if (!isUrgent) return all
  const { promise, resolve } = Promise.withResolvers<readonly FamilyAnswer[]>()
  const end = () => resolve([first, lateAnswer(first.family === 4 ? 6 : 4)])
  // Node.js runs timers before it polls sockets. An answer that has arrived by now still counts.
  const timer = setTimeout(() => setImmediate(end), otherFamilyMs)
  const answers = await Promise.race([all, promise])
  clearTimeout(timer)
  return answers
}

/** Resolves with the first answer that passes. It never settles if none does. */
function firstOf(
  questions: readonly Promise<FamilyAnswer>[],
  passes: (answer: FamilyAnswer) => boolean,
): Promise<FamilyAnswer> {
  return new Promise(resolve => {
    for (const question of questions)
      void question.then(answer => {
        if (passes(answer)) resolve(answer)
      })
  })
}

function lateAnswer(family: AddressFamily): FamilyAnswer {
  const error = Object.assign(new Error(`the question took longer than ${otherFamilyMs} ms`), { code: 'ETIMEOUT' })
  return { family, addresses: [], ttlMs: Infinity, error }
}

async function familyAnswer(
  family: AddressFamily,
  question: Promise<readonly { readonly address: string; readonly ttl: number }[]>,
): Promise<FamilyAnswer> {
  try {
    const records = await question
    return {
      family,
      addresses: records.map(({ address }) => ({ address, family })),
      ttlMs: 1000 * Math.min(...records.map(({ ttl }) => ttl)),
      error: undefined,
    }
  } catch (error) {
    return { family, addresses: [], ttlMs: Infinity, error: error as CodedError }
  }
}
