import fc from 'fast-check'
import { z } from 'zod'
import { aggregate, chain, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation, type Call } from '../../src/upstream/declare.ts'
import type { Asked } from './http-upstream.ts'

const Any = z.unknown()
const params = z.object({ id: z.string() })

/** What the upstream does, by the path. */
const manners = ['ok', 'slow', 'busy', 'flaky', 'reset', 'hang'] as const

/** Answers by the path of the request: well, late, with a failure, or never. */
export function answerer(): (asked: Asked) => void {
  let flaky = 0
  return ({ request, response, json }) => {
    const path = request.url ?? ''
    if (path.includes('hang')) return
    if (path.includes('reset')) return void response.socket?.destroy()
    if (path.includes('busy') || (path.includes('flaky') && flaky++ % 2 === 0)) return json({}, 503)
    if (!path.includes('slow')) return json({ path })
    setTimeout(() => json({ path }), 6)
  }
}

const stepPlan = fc.record({
  kind: fc.constantFrom('required', 'optional', 'optional', 'each', 'chains', 'firstOf', 'pages', 'value', 'asking'),
  operation: fc.constantFrom('get', 'get', 'shared', 'kept', 'post', 'hedged', 'limited'),
  manners: fc.array(fc.constantFrom(...manners), { minLength: 1, maxLength: 3 }),
  needsPrevious: fc.boolean(),
  timeout: fc.option(fc.constantFrom(4, 15), { nil: undefined, freq: 3 }),
})
export const unrulyPlan = fc.record({
  context: fc.option(fc.constantFrom('get', 'shared'), { nil: undefined, freq: 2 }),
  steps: fc.array(stepPlan, { minLength: 1, maxLength: 4 }),
  deadline: fc.constantFrom(5, 25, 60),
  cancelAfter: fc.option(fc.nat(12), { nil: undefined, freq: 2 }),
})
export type UnrulyPlan = typeof unrulyPlan extends fc.Arbitrary<infer Plan> ? Plan : never

interface LooseBuilder {
  context(fn: unknown): LooseBuilder
  required(name: string, fn: unknown, options: object): LooseBuilder
  optional(name: string, fn: unknown, options: object): LooseBuilder
  each(name: string, fn: unknown, options: object): LooseBuilder
  firstOf(name: string, fn: unknown, options: object): LooseBuilder
  pages(name: string, fn: unknown, options: object): LooseBuilder
  reply(schema: z.ZodType, merge: unknown): AnyAggregate
}

/** The operations of upstreams with each policy. */
export function unrulyOperations(origin: string) {
  const retry = { initialDelay: 2, maxDelay: 3 }
  const main = defineUpstream(
    'main',
    { origin, concurrency: 3, maxQueue: 6, retry, breaker: false },
    {
      get: operation({ path: '/get/{id}', params, output: Any }),
      shared: operation({ path: '/shared/{id}', params, output: Any, coalesce: true }),
      kept: operation({ path: '/kept/{id}', params, output: Any, cache: { ttl: 1 } }),
      post: operation({ method: 'POST', path: '/post/{id}', params, output: Any }),
    },
  )
  const { hedged } = defineUpstream(
    'hedging',
    { origin, retry, hedge: { delay: 3, maxRatio: 1 }, breaker: false },
    { hedged: operation({ path: '/hedged/{id}', params, output: Any }) },
  )
  const { limited } = defineUpstream(
    'limited',
    { origin, retry, attemptTimeout: 10, totalTimeout: 18, breaker: false },
    { limited: operation({ path: '/limited/{id}', params, output: Any }) },
  )
  return { ...main, hedged, limited }
}

/** A function that asks all calls. */
function asking(many: () => readonly Call<unknown>[]) {
  return async ({ ask }: { readonly ask: (call: Call<unknown>) => Promise<unknown> }) =>
    (await Promise.allSettled(many().map(ask))).length
}

/** Builds the aggregate of a plan. */
export function unrulyAggregate(
  { context, steps, deadline }: UnrulyPlan,
  operations: ReturnType<typeof unrulyOperations>,
): AnyAggregate {
  let builder = aggregate('random', { url: '/random', deadline }) as unknown as LooseBuilder
  if (context !== undefined) builder = builder.context(() => operations[context]({ id: 'ok' }))
  for (const [index, plan] of steps.entries()) {
    const call = (item: number) => operations[plan.operation]({ id: plan.manners[item % plan.manners.length] ?? 'ok' })
    const options = {
      ...(plan.needsPrevious && index > 0 && { needs: [`s${index - 1}`] }),
      ...(plan.timeout !== undefined && { timeout: plan.timeout }),
    }
    const name = `s${index}`
    const many = () => times(plan.manners.length, call)
    const chains = () => times(plan.manners.length, item => chain(call(item), () => call(item + 1)))
    if (plan.kind === 'value') builder = builder.required(name, () => index, options)
    else if (plan.kind === 'required') builder = builder.required(name, () => call(0), options)
    else if (plan.kind === 'asking') builder = builder.optional(name, asking(many), { fallback: null, ...options })
    else if (plan.kind === 'optional') builder = builder.optional(name, () => call(0), { fallback: null, ...options })
    else if (plan.kind === 'each' || plan.kind === 'chains')
      builder = builder.each(name, plan.kind === 'each' ? many : chains, {
        minSuccess: 0,
        fallback: null,
        concurrency: 2,
        ...options,
      })
    else if (plan.kind === 'pages') {
      const next = (_: unknown, index: number) => (index === 0 ? many().slice(1) : undefined)
      builder = builder.pages(name, () => call(0), { next, onLoss: 'keep', concurrency: 2, ...options })
    } else builder = builder.firstOf(name, many, options)
  }
  return builder.reply(Any, () => 1)
}
