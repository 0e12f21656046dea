import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import type { Offered } from '../../src/batch/offer.ts'
import { UpstreamError } from '../../src/errors.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { brokenRules } from '../helpers/event-order.ts'
import { heldRuntime, type HeldCall } from '../helpers/held-runtime.ts'
import { turn } from '../helpers/turn.ts'
import { offerFor } from './shop.ts'
import { started } from './started.ts'

const { echo } = defineUpstream(
  'echo',
  { origin: 'http://echo.test' },
  {
    echo: operation({
      path: '/{id}',
      params: z.object({ id: z.string() }),
      query: z.object({ from: z.array(z.string()).optional() }),
      output: z.union([z.object({ id: z.string(), from: z.array(z.string()) }), z.null()]),
      batch: true,
    }),
  },
)
const offer: ReadonlyMap<string, Offered> = offerFor([echo])

const callPlan = fc.record({
  /** Other calls, by distance from the end of those before. */
  needs: fc.uniqueArray(fc.nat(30), { maxLength: 3 }),
  references: fc.uniqueArray(fc.nat(30), { maxLength: 3 }),
  isOptional: fc.boolean(),
  outcome: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'fails', 'null'),
})
const batchPlan = fc.record({
  calls: fc.array(callPlan, { minLength: 1, maxLength: 14 }),
  /** The order in which the calls stand in the batch. */
  shuffle: fc.array(fc.nat(), { minLength: 14, maxLength: 14 }),
  /** The order in which calls in flight end. */
  picks: fc.array(fc.nat(30), { minLength: 14, maxLength: 14 }),
  isSync: fc.boolean(),
})
type Plan = typeof batchPlan extends fc.Arbitrary<infer T> ? T : never

interface Node {
  readonly id: string
  readonly needs: readonly string[]
  readonly references: readonly string[]
  readonly isOptional: boolean
  readonly outcome: Plan['calls'][number]['outcome']
}

function nodesOf({ calls }: Plan): Node[] {
  return calls.map(({ needs, references, isOptional, outcome }, index) => {
    const before = (picks: readonly number[]) => [...new Set(index === 0 ? [] : picks.map(pick => `n${pick % index}`))]
    return { id: `n${index}`, needs: before(needs), references: before(references), isOptional, outcome }
  })
}

type Result =
  { readonly data: { readonly id: string; readonly from: readonly string[] } | null } | { readonly code: string }

/** What each call becomes if the calls are made one after another. */
function sequential(nodes: readonly Node[]): ReadonlyMap<string, Result> {
  const results = new Map<string, Result>()
  for (const { id, needs, references, outcome } of nodes) {
    const optional = (need: string) => nodes.find(node => node.id === need)?.isOptional === true
    const failed = (need: string) => 'code' in (results.get(need) as Result)
    const values = references.map(need => results.get(need) as Result)
    if (references.some(failed) || needs.some(need => failed(need) && !optional(need)))
      results.set(id, { code: 'DEPENDENCY_FAILED' })
    else if (values.some(value => 'data' in value && value.data === null))
      results.set(id, { code: 'REFERENCE_INVALID' })
    else if (outcome === 'fails') results.set(id, { code: 'UPSTREAM_BUSY' })
    else
      results.set(id, {
        data: outcome === 'null' ? null : { id: `value of ${id}`, from: references.map(need => `value of ${need}`) },
      })
  }
  return results
}

test('every result of a batch is that of its calls one after another, whatever ends first', async t => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(batchPlan, async plan => {
      const nodes = nodesOf(plan)
      const expected = sequential(nodes)
      const order = nodes.map((node, index) => [plan.shuffle[index] ?? 0, node] as const).sort(([a], [b]) => a - b)
      const runtime = heldRuntime({ isSync: plan.isSync })
      const { reply, arrived, events } = started(
        offer,
        order.map(([, { id, needs, references, isOptional }]) => ({
          id,
          operation: 'echo.echo',
          input: {
            id,
            ...(references.length > 0 && { from: references.map(need => ({ $ref: `${need}#/data/id` })) }),
          },
          needs,
          optional: isOptional,
        })),
        runtime,
      )
      const open = new Set<HeldCall>()
      const known = new Set<HeldCall>()
      const collect = () => {
        for (const call of runtime.calls) {
          if (known.has(call)) continue
          known.add(call)
          open.add(call)
          const node = nodes.find(({ id }) => call.path.split('?')[0] === `/${id}`) as Node
          const ended = new Set(arrived.map(({ id }) => id))
          t.ok(
            [...node.needs, ...node.references].every(need => ended.has(need)),
            `${node.id} started after its needs`,
          )
        }
      }
      collect()
      for (const pick of [...plan.picks, ...plan.picks]) {
        const call = [...open][pick % Math.max(1, open.size)]
        if (call === undefined) break
        open.delete(call)
        const node = nodes.find(({ id }) => call.path.split('?')[0] === `/${id}`) as Node
        const from = new URL(call.path, 'http://echo.test').searchParams.getAll('from')
        if (node.outcome === 'fails') call.fail(new UpstreamError('UPSTREAM_BUSY', 'echo'))
        else call.answer(node.outcome === 'null' ? null : { id: `value of ${node.id}`, from })
        await turn()
        collect()
      }
      const { results, complete } = await reply
      t.same(
        results.map(({ id }) => id),
        order.map(([, { id }]) => id),
      )
      t.equal(
        complete,
        results.every(({ state }) => state === 'ok'),
      )
      for (const result of results) {
        const own = expected.get(result.id) as Result
        t.same(result.problem === undefined ? { data: result.data } : { code: result.problem.code }, own)
        const key = 'code' in own ? own.code : 'ok'
        seen.set(key, (seen.get(key) ?? 0) + 1)
      }
      const indexOf = (need: string) => order.findIndex(([, { id }]) => id === need)
      const steps = order.map(([, { needs, references }]) => ({ needs: [...needs, ...references].map(indexOf) }))
      t.same(brokenRules({ steps } as unknown as AnyAggregate, events), [])
      t.equal(runtime.calls.length, results.filter(({ state }) => state !== 'notSent').length)
    }),
    { numRuns: 300 },
  )
  for (const key of ['ok', 'UPSTREAM_BUSY', 'DEPENDENCY_FAILED', 'REFERENCE_INVALID'])
    t.ok((seen.get(key) ?? 0) > 0, `${key} is among the results`)
})
