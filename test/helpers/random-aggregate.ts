import fc from 'fast-check'
import { z } from 'zod'
import { aggregate, chain, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { Call } from '../../src/upstream/declare.ts'
import { oracle } from './oracle.ts'

export interface Plan {
  readonly kind: 'required' | 'optional' | 'each' | 'firstOf' | 'plain' | 'asking' | 'chains' | 'pages'
  /** Earlier steps, by place. */
  readonly needs: readonly number[]
  /** Calls of a step that makes several. */
  readonly calls: number
  /** Whether its function is async. */
  readonly late: boolean
  /** Whether its calls fail, where that fails no run. */
  readonly failing: boolean
  /** How many items of a list whose calls may fail must arrive. @default 0 */
  readonly minSuccess?: number
}

/** The part of a builder that steps of any name and kind can be added with. */
export interface Loose {
  required(name: string, step: Step, options: object): Loose
  optional(name: string, step: Step, options: object): Loose
  each(name: string, step: Step, options: object): Loose
  firstOf(name: string, step: Step, options: object): Loose
  pages(name: string, step: Step, options: object): Loose
  reply(schema: z.ZodType, merge: (args: Args) => unknown): AnyAggregate
}
export interface Args extends Readonly<Record<string, unknown>> {
  readonly ask: (call: Call<unknown>) => Promise<unknown>
}
type Step = (args: Args) => unknown

/** From `min` to 12 steps that need any of those before them. */
export function plans(min: number, kinds: readonly Plan['kind'][]): fc.Arbitrary<readonly Plan[]> {
  const plan = fc.record({
    kind: fc.constantFrom(...kinds),
    picks: fc.uniqueArray(fc.nat(11), { maxLength: 3 }),
    calls: fc.integer({ min: 1, max: 4 }),
    late: fc.boolean(),
    failing: fc.boolean(),
  })
  return fc.array(plan, { minLength: min, maxLength: 12 }).map(list =>
    list.map(({ picks, ...rest }, index) => ({
      ...rest,
      needs: [...new Set(index === 0 ? [] : picks.map(pick => pick % index))].filter((_, at) => at < index),
    })),
  )
}

export const nameOf = (index: number) => `s${index}`

/**
 * The path of a step's call; it tells what the step was given, so a value that comes too late or from elsewhere shows.
 */
export const pathOf = (index: number, call: number) => `/${index}.${call}`

export interface Watch {
  /** Called when a step's function is invoked, with its arguments. */
  readonly asked?: (index: number, args: Args) => void
}

/** Asks the first call, then all others at once; a call that fails is named by its error. */
async function askAll({ ask }: Args, [first, ...others]: readonly Call<unknown>[]): Promise<unknown> {
  const answered = (call: Call<unknown>) => ask(call).catch((error: Error) => error.name)
  return [await answered(first as Call<unknown>), ...(await Promise.all(others.map(answered)))]
}

/** The value of an item that failed. */
export const lostItem = 'lost'

export const fallbackOf = (index: number) => `fallback ${index}`

/** The values of all steps by name. */
export function valuesOf(steps: readonly Plan[], args: Args): Readonly<Record<string, unknown>> {
  return Object.fromEntries(steps.map((_, index) => [nameOf(index), args[nameOf(index)]]))
}

/** Builds the aggregate of a plan; its reply is all the steps' values. */
export function aggregateOf(steps: readonly Plan[], watch?: Watch): AnyAggregate {
  return builderOf(steps, watch).reply(z.record(z.string(), z.unknown()), args => valuesOf(steps, args))
}

/** Declares the steps of a plan. */
export function builderOf(steps: readonly Plan[], { asked = () => {} }: Watch = {}): Loose {
  let builder = aggregate('random', { url: '/random', deadline: 60_000 }) as unknown as Loose
  for (const [index, { kind, needs, calls, late, failing, minSuccess = 0 }] of steps.entries()) {
    const name = nameOf(index)
    const callOf = (call: number | string): Call<unknown> => oracle.ask({ id: `${index}.${call}` })
    const many = () => Array.from({ length: calls }, (_, call) => callOf(call))
    const one: () => unknown =
      kind === 'chains'
        ? () => many().map((call, at) => chain(call, () => callOf(`${at}.tail`)))
        : kind === 'each' || kind === 'firstOf'
          ? many
          : kind === 'plain'
            ? () => `plain ${index}`
            : () => callOf(0)
    const step = (args: Args) => {
      asked(index, args)
      if (kind === 'asking') return askAll(args, many())
      return late ? Promise.resolve().then(one) : one()
    }
    const options = { needs: needs.map(nameOf) }
    if (kind === 'optional') builder = builder.optional(name, step, { fallback: fallbackOf(index), ...options })
    else if (kind === 'each' || kind === 'chains')
      builder = builder.each(name, step, {
        ...options,
        concurrency: 2,
        ...(failing && { minSuccess, fallback: lostItem }),
      })
    else if (kind === 'pages')
      builder = builder.pages(name, step, {
        ...options,
        next: (_: unknown, at: number) => (at + 1 < calls ? callOf(at + 1) : undefined),
        onLoss: failing ? 'keep' : 'fail',
      })
    else if (kind === 'firstOf') builder = builder.firstOf(name, step, options)
    else builder = builder.required(name, step, options)
  }
  return builder
}
