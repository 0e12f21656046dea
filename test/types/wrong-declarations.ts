// Declarations that the type checker must refuse. Number 19, an extra key, is stripped at run time instead: see test/fanout/merge.test.ts.
import { z } from 'zod'
import { aggregate, skip, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { operation } from '../../src/upstream/declare.ts'
import { Fact, upstream } from './clients.ts'

const { breed, fact, facts, picture, summary } = upstream
const base = () => aggregate('b', { url: '/v1/b/{breed}', params: z.object({ breed: z.string() }), query: z.object({ count: z.coerce.number() }) })
  .required('found', ({ params }) => breed({ id: params.breed }))
const R = z.object({ name: z.string() })
declare function register (aggregates: readonly AnyAggregate[]): void

// 1 unknown need
// @ts-expect-error
base().optional('a', null, () => picture(), { needs: ['fuond'] })
// 2 value not named in needs
// @ts-expect-error
base().optional('a', null, ({ found }) => summary({ title: found.name }))
// 3 wrong call input
// @ts-expect-error
base().optional('a', null, () => facts({ count: '3' }))
// 4 missing call input
// @ts-expect-error
base().optional('a', null, () => breed())
// 5 duplicate name
// @ts-expect-error
base().optional('found', null, () => picture())
// 6 reserved name
// @ts-expect-error
base().optional('query', null, () => picture())
// 7 skip in required
// @ts-expect-error
base().required('a', ({ query }) => query.count > 3 ? picture() : skip)
// 8 atLeast without fallback
// @ts-expect-error
base().each('a', ({ query }) => times(query.count, () => fact()), { tolerate: { atLeast: 2 } })
// 9 reply field of wrong type
// @ts-expect-error
base().reply(R, ({ found }) => ({ name: found.id.length }))
// 10 reply field missing
// @ts-expect-error
base().reply(R, ({ found }) => ({ nmae: found.name }))
// 11 unknown param in url template
// @ts-expect-error
aggregate('c', { url: '/v1/{breed}', params: z.object({ bred: z.string() }) })
// 12 template with param and no params schema
// @ts-expect-error
aggregate('c', { url: '/v1/{breed}' })
// 13 operation path unknown param
// @ts-expect-error
operation({ path: '/x/{id}', params: z.object({ name: z.string() }), output: Fact })
// 14 fallback property misuse
// @ts-expect-error
base().optional('a', null, () => picture()).reply(R, ({ a }) => ({ name: a.url }))
// 15 each of not calls
// @ts-expect-error
base().each('a', ({ query }) => [query.count])
// 16 forward need
// @ts-expect-error
base().optional('a', null, ({ b }) => b ?? picture(), { needs: ['b'] }).optional('b', null, () => picture())
// 17 params without template names
// @ts-expect-error
aggregate('c', { url: '/v1/x', params: z.object({ bred: z.string() }) })
// 18 async merge wrong
// @ts-expect-error
base().reply(R, async ({ found }) => ({ name: found.id.length }))
// 20 forgot return (void step)
// @ts-expect-error
base().required('a', () => { picture() })
// 21 unbuilt aggregate passed where an Aggregate is wanted
// @ts-expect-error
register([base()])
// 22 calls in a required
// @ts-expect-error
base().required('a', () => [picture(), picture()])
// 23 no return in an optional, async
// @ts-expect-error
base().optional('a', null, async () => { picture() })
// 24 two wrong needs
// @ts-expect-error
base().optional('a', null, () => picture(), { needs: ['found', 'x'] })
// 25 a value of null is null and nothing else
// @ts-expect-error
base().optional('a', null, () => null).reply(R, ({ a }) => ({ name: a }))
// 26 required async skip
// @ts-expect-error
base().required('a', async ({ query }) => query.count > 3 ? picture() : skip)
