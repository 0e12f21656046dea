import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, chain, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation, type Call } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { brokenRules } from '../helpers/event-order.ts'
import { httpUpstream, type Asked } from '../helpers/http-upstream.ts'

const Any = z.unknown()
const params = z.object({ id: z.string() })

/** What the upstream does, by the path. */
const manners = ['ok', 'slow', 'busy', 'flaky', 'reset', 'hang'] as const

function answerer(): (asked: Asked) => void {
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
const runPlan = fc.record({
  context: fc.option(fc.constantFrom('get', 'shared'), { nil: undefined, freq: 2 }),
  steps: fc.array(stepPlan, { minLength: 1, maxLength: 4 }),
  deadline: fc.constantFrom(5, 25, 60),
  cancelAfter: fc.option(fc.nat(12), { nil: undefined, freq: 2 }),
})
type RunPlan = typeof runPlan extends fc.Arbitrary<infer Plan> ? Plan : never

interface LooseBuilder {
  context(fn: unknown): LooseBuilder
  required(name: string, fn: unknown, options: object): LooseBuilder
  optional(name: string, fn: unknown, options: object): LooseBuilder
  each(name: string, fn: unknown, options: object): LooseBuilder
  firstOf(name: string, fn: unknown, options: object): LooseBuilder
  pages(name: string, fn: unknown, options: object): LooseBuilder
  reply(schema: z.ZodType, merge: unknown): AnyAggregate
}

function declare(origin: string) {
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

function aggregateOf({ context, steps, deadline }: RunPlan, operations: ReturnType<typeof declare>): AnyAggregate {
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

test('the events of a run keep the rules of the docs, whatever its upstreams do', async t => {
  const { origin } = await httpUpstream(t, answerer())
  const operations = declare(origin)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const seen = new Map<string, number>()
  /** The events of each run, and their number when the run settled. */
  const ended: { readonly events: readonly RunEvent[]; readonly told: number }[] = []
  const published: RunEvent[] = []
  const hear = (event: unknown) => {
    published.push(event as RunEvent)
  }
  subscribe('headwaters:event', hear)
  t.teardown(() => unsubscribe('headwaters:event', hear))

  async function run(plan: RunPlan): Promise<void> {
    const described = aggregateOf(plan, operations)
    const events: RunEvent[] = []
    const run = startRun(
      described,
      {},
      {
        runtime,
        onEvent(event) {
          if (events.push(event) === plan.cancelAfter) run.cancel(new Error('gone'))
        },
      },
    )
    await run.start().catch(() => {})
    const told = events.length
    ended.push({ events, told })
    for (const event of events) {
      const kind = event.type === 'call waited' ? `${event.type} ${event.reason}` : event.type
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
    }
    const [first] = events
    const heard = published.filter(event => event.run === first?.run)
    t.ok(heard.length === told && heard.every((event, index) => event === events[index]), 'the channel has the same')
    const broken = brokenRules(described, events, name => name === 'main.shared' || name === 'main.kept')
    if (broken.length > 0)
      throw new Error(
        `${broken.join('\n')}\n${events.map(({ run: _run, ...event }) => JSON.stringify(event)).join('\n')}`,
      )
  }

  await fc.assert(
    fc.asyncProperty(fc.array(runPlan, { minLength: 1, maxLength: 3 }), async plans => {
      await Promise.all(plans.map(run))
      published.length = 0
    }),
    { numRuns: 200 },
  )
  // Ends all calls that have outlived their run.
  await runtime.close()
  t.ok(ended.length > 200, `${ended.length} runs`)
  t.same(
    ended.filter(({ events, told }) => events.length > told),
    [],
    'nothing comes after the end of a run',
  )
  for (const kind of ['attempt started', 'attempt ended', 'call waited permit', 'call waited retry', 'call ended'])
    t.ok((seen.get(kind) ?? 0) > 10, `${kind}: ${seen.get(kind)}`)
})
