// Declarations that the type checker must refuse. Number 19, an extra key, is stripped at run time instead: see
// test/fanout/merge.test.ts.
import { z } from 'zod'
import { aggregate, chain, offload, skip, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { runAggregate } from '../../src/testing/run-aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { Fact, upstream } from './clients.ts'
import type * as functions from './functions.ts'
import type * as oneFunction from './one-function.ts'

const { breed, fact, facts, picture, summary } = upstream
const base = () => aggregate('b', { url: '/v1/b/{breed}', params: z.object({ breed: z.string() }), query: z.object({ count: z.coerce.number() }) })
  .required('found', ({ params }) => breed({ id: params.breed }))
const R = z.object({ name: z.string() })
declare function register (aggregates: readonly AnyAggregate[]): void
const named = { path: '/named', query: z.object({ ids: z.array(z.string()) }), output: z.array(z.string()) } as const
const place = new URL('./functions.ts', import.meta.url)
declare const tenanted: CustomLayer<{ readonly tenant: string }>

// 1 unknown need
// @ts-expect-error
base().optional('a', () => picture(), { fallback: null, needs: ['fuond'] })
// 2 value not named in needs
// @ts-expect-error
base().optional('a', ({ found }) => summary({ title: found.name }), { fallback: null })
// 3 wrong call input
// @ts-expect-error
base().optional('a', () => facts({ count: '3' }), { fallback: null })
// 4 missing call input
// @ts-expect-error
base().optional('a', () => breed(), { fallback: null })
// 5 duplicate name
// @ts-expect-error
base().optional('found', () => picture(), { fallback: null })
// 6 reserved name
// @ts-expect-error
base().optional('query', () => picture(), { fallback: null })
// 7 skip in required
// @ts-expect-error
base().required('a', ({ query }) => query.count > 3 ? picture() : skip)
// 8 minSuccess without fallback
// @ts-expect-error
base().each('a', ({ query }) => times(query.count, () => fact()), { minSuccess: 2 })
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
base().optional('a', () => picture(), { fallback: null }).reply(R, ({ a }) => ({ name: a.url }))
// 15 each of not calls
// @ts-expect-error
base().each('a', ({ query }) => [query.count])
// 16 forward need
// @ts-expect-error
base().optional('a', ({ b }) => b ?? picture(), { fallback: null, needs: ['b'] }).optional('b', () => picture(), { fallback: null })
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
base().optional('a', async () => { picture() }, { fallback: null })
// 24 two wrong needs
// @ts-expect-error
base().optional('a', () => picture(), { fallback: null, needs: ['found', 'x'] })
// 25 a value of null is null and nothing else
// @ts-expect-error
base().optional('a', () => null, { fallback: null }).reply(R, ({ a }) => ({ name: a }))
// 26 required async skip
// @ts-expect-error
base().required('a', async ({ query }) => query.count > 3 ? picture() : skip)
// 27 context without context()
// @ts-expect-error
base().optional('a', ({ context }) => context, { fallback: null })
// 28 field that the context does not have
// @ts-expect-error
aggregate('c', { url: '/v1/c' }).context(() => ({ user: 'ada' })).required('a', ({ context }) => context.tenant)
// 29 context() after a step
// @ts-expect-error
base().context(() => 1)
// 30 context() twice
// @ts-expect-error
aggregate('c', { url: '/v1/c' }).context(() => 1).context(() => 2)
// 31 several calls as a context
// @ts-expect-error
aggregate('c', { url: '/v1/c' }).context(() => [picture()]).required('a', () => 1)
// 32 onReply() twice
// @ts-expect-error
base().reply(R, ({ found }) => found).onReply(() => {}).onReply(() => {})
// 33 onReply() before there is a reply
// @ts-expect-error
base().onReply(() => {})
// 34 onReply() that gives a value that is not a header
// @ts-expect-error
base().reply(R, ({ found }) => found).onReply(() => ({ headers: { 'x-count': 3 } }))
// 35 onReply() that misspells headers
// @ts-expect-error
base().reply(R, ({ found }) => found).onReply(() => ({ header: { 'x-count': '3' } }))
// 36 ask in a merge
// @ts-expect-error
base().reply(R, async ({ ask }) => ({ name: (await ask(picture())).url }))
// 37 layers without a position
// @ts-expect-error
defineUpstream('a', { origin: 'http://a.test', layers: [next => call => next(call)] }, {})
// 38 layers at a position that does not exist
// @ts-expect-error
defineUpstream('a', { origin: 'http://a.test', layers: { top: [next => call => next(call)] } }, {})
// 39 layer that returns no answer
// @ts-expect-error
defineUpstream('a', { origin: 'http://a.test', layers: { call: [next => call => { void next(call) }] } }, {})
// 40 layer that answers a value of its own making
// @ts-expect-error
defineUpstream('a', { origin: 'http://a.test', layers: { call: [() => () => ({ value: 1, status: 200 })] } }, {})
// 41 context given to a run of an aggregate that has none
// @ts-expect-error
await runAggregate(base().reply(R, ({ found }) => found), {}, { upstreams: {}, context: 1 })
// 42 context of another type
// @ts-expect-error
await runAggregate(aggregate('c', { url: '/v1/c' }).context(() => 'ada').reply(R, ({ context }) => ({ name: context })), {}, { upstreams: {}, context: 1 })
// 43 offloaded name that the module does not have
// @ts-expect-error
offload<typeof oneFunction>(place, 'nameOff')
// 44 offloaded name that is no function
// @ts-expect-error
offload<typeof functions, 'version'>(place, 'version')
// 45 name that differs from the one whose type is meant
// @ts-expect-error
offload<typeof functions, 'named'>(place, 'sum')
// 46 one of several functions without its name
// @ts-expect-error
base().reply(R, offload<typeof functions>(place, 'named'))
// 47 file that is a text
// @ts-expect-error
offload<typeof oneFunction>('./functions.ts', 'nameOf')
// 48 offloaded merge that takes what the aggregate does not have
// @ts-expect-error
aggregate('c', { url: '/v1/c' }).reply(R, offload<typeof oneFunction>(place, 'nameOf'))
// 49 offloaded merge that gives something else
// @ts-expect-error
base().reply(z.object({ count: z.number() }), offload<typeof functions, 'named'>(place, 'named'))
// 50 offloaded step that takes a value it does not need
// @ts-expect-error
base().required('a', offload<typeof functions, 'named'>(place, 'named'))
// 51 offloaded step that returns a call
// @ts-expect-error
base().required('a', offload<typeof functions, 'asking'>(place, 'asking'))
// 52 offloaded each
// @ts-expect-error
base().each('a', offload<typeof functions, 'askingAll'>(place, 'askingAll'))
// 53 offloaded function that skips
// @ts-expect-error
await offload<typeof functions, 'skipping'>(place, 'skipping')(true)
// 54 offloaded function that is given a signal
// @ts-expect-error
base().required('a', offload<typeof functions, 'signalled'>(place, 'signalled'))
// 55 wrong argument of an offloaded function
// @ts-expect-error
base().required('a', async () => offload<typeof functions, 'sum'>(place, 'sum')('1'))
// 56 offloaded without its module's type
// @ts-expect-error
base().reply(R, offload(place, 'named'))
// 57 change of an optional step's value
// @ts-expect-error
base().optional('a', () => ['x'], { fallback: [] }).reply(R, ({ a }) => ({ name: String(a.push('y')) }))
// 58 change of a list whose losses are tolerated
// @ts-expect-error
base().each('a', () => [fact()], { minSuccess: 0, fallback: null }).reply(R, ({ a }) => ({ name: String(a.pop()) }))
// 59 change of a coalesced answer
// @ts-expect-error
base().required('a', () => upstream.shared()).reply(R, ({ a }) => ({ name: String(a.data.pop()) }))
// 60 change of a cached answer that context() asked for
// @ts-expect-error
aggregate('c', { url: '/v1/c' }).context(async ({ ask }) => (await ask(upstream.keptFor())).body.data.pop())
// 61 overflow of a step that has no maxItems
// @ts-expect-error
base().firstOf('a', () => [fact()], { overflow: 'truncate' })
// 62 overflow that is none
// @ts-expect-error
base().each('a', () => [fact()], { maxItems: 2, overflow: 'drop' })
// 63 name of several segments with its plus sign
// @ts-expect-error
operation({ path: '/x/{path+}', params: z.object({ 'path+': z.string() }), output: Fact })
// 64 name of several segments without params
// @ts-expect-error
operation({ path: '/x/{path+}', output: Fact })
// 65 chain whose function forgets to return
// @ts-expect-error
base().each('a', () => [chain(fact(), () => {})])
// 66 chain whose function skips
// @ts-expect-error
base().each('a', () => [chain(fact(), () => skip, () => 1)])
// 67 chain whose function returns several calls
// @ts-expect-error
base().each('a', () => [chain(fact(), () => [picture(), picture()])])
// 68 chain whose function takes a value of another type
// @ts-expect-error
chain(fact(), () => picture(), (_one, two: Fact) => two)
// 69 chain without a function
// @ts-expect-error
chain(fact())
// 70 chain in a firstOf
// @ts-expect-error
base().firstOf('a', () => [chain(fact(), () => picture())])
// 71 chain as the value of a required step
// @ts-expect-error
base().required('a', () => chain(fact(), () => picture()))
// 72 chain as the value of context()
// @ts-expect-error
aggregate('c', { url: '/v1/c' }).context(() => chain(fact(), () => picture())).required('a', () => 1)
// 73 change of a list of chains whose losses are tolerated
// @ts-expect-error
base().each('a', () => [chain(upstream.fresh(), one => one)], { minSuccess: 0, fallback: null }).reply(R, ({ a }) => ({ name: String(a[0]?.data.pop()) }))
// 84 reply of a status that only errors have
// @ts-expect-error
base().reply(R, () => ({ name: '' }), { status: 404 })
// 85 reply without a body that has data
// @ts-expect-error
base().reply(R, () => ({ name: '' }), { status: 204 })
// 86 status of onReply() that only errors have
// @ts-expect-error
base().reply(R, () => ({ name: '' })).onReply(() => ({ status: 404 }))
// 87 level of sources that does not exist
// @ts-expect-error
aggregate('c', { url: '/v1/c', sources: 'names' })
// 80 output beside responses
// @ts-expect-error
operation({ path: '/x', output: Fact, responses: { 200: Fact } })
// 81 neither output nor responses
// @ts-expect-error
operation({ path: '/x' })
// 82 nullOn beside responses
// @ts-expect-error
operation({ path: '/x', responses: { 200: Fact }, nullOn: [404] })
// 83 body of a status that was not distinguished
// @ts-expect-error
base().required('a', () => upstream.byStatus()).reply(R, ({ a }) => ({ name: a.body.name }))
// 76 key of another type
// @ts-expect-error
upstream.named(5)
// 77 keys without a type
// @ts-expect-error
operation({ ...named, keyBatch: { maxKeys: 5, call: ids => ({ ids }), pick: ([first]) => first } })
// 78 keys that make another input than the schemas take
// @ts-expect-error
operation({ ...named, keyBatch: { maxKeys: 5, call: (ids: readonly number[]) => ({ ids }), pick: ([first]) => first } })
// 79 change of the value of a key
// @ts-expect-error
base().required('a', () => upstream.listed({ id: 1 })).reply(R, ({ a }) => ({ name: String(a.pop()) }))
// 100 answer of an awaited call
// @ts-expect-error
base().required('a', async ({ params }) => (await breed({ id: params.breed })).name)
// 101 ask of a value that is not a call
// @ts-expect-error
base().required('a', ({ ask }) => ask('a'))
// 102 object with a call
// @ts-expect-error
base().required('a', () => ({ shot: picture() }))
// 103 context with an awaited call
// @ts-expect-error
aggregate('c', { url: '/v1/c' }).context(async () => ({ shot: await picture() })).required('a', () => 1)
// 104 step named ask
// @ts-expect-error
base().required('ask', () => picture())
// 105 offloaded function that asks
// @ts-expect-error
base().required('a', offload<typeof functions, 'answered'>(place, 'answered'))
// 88 headers of an operation that has no schema of them
// @ts-expect-error
fact({ headers: { 'x-tenant': 'acme' } })
// 89 call without a header that its operation requires
// @ts-expect-error
upstream.priced({ id: 'a' })
// 90 header whose value is a list
// @ts-expect-error
operation({ path: '/x', headers: z.object({ 'x-tags': z.array(z.string()) }), output: Fact })
// 91 layer that needs a context and is not passed to withContext
// @ts-expect-error
defineUpstream('x', { origin: 'http://x.test', layers: { call: [tenanted] } }, {})
// 92 unknown body type
// @ts-expect-error
operation({ method: 'POST', path: '/x', bodyType: 'xml', body: z.string(), output: Fact })
// 93 body of text whose output is a number
// @ts-expect-error
operation({ method: 'POST', path: '/x', bodyType: 'text', body: z.string().transform(Number), output: Fact })
// 94 field of a form that is an object
// @ts-expect-error
operation({ method: 'POST', path: '/x', bodyType: 'form', body: z.object({ a: z.object({ b: z.string() }) }), output: Fact })
// 95 file of a multipart body without its content
// @ts-expect-error
operation({ method: 'POST', path: '/x', bodyType: 'multipart', body: z.object({ a: z.object({ filename: z.string() }) }), output: Fact })
// 96 body of bytes whose output is a text
// @ts-expect-error
operation({ method: 'POST', path: '/x', bodyType: 'bytes', body: z.string().optional(), output: Fact })
// 106 pages without next
// @ts-expect-error
base().pages('a', () => fact())
// 107 list of calls in place of the first page
// @ts-expect-error
base().pages('a', () => [fact()], { next: () => null })
// 108 next page of another type
// @ts-expect-error
base().pages('a', () => fact(), { next: () => picture() })
// 109 change of a page in next
// @ts-expect-error
base().pages('a', () => facts({ count: 1 }), { next: page => void page.data.push('x') })
// 110 merge of snapshots whose data does not fit the schema
// @ts-expect-error
base().required('a', () => fact()).reply(Fact, ({ a }) => a, { snapshot: () => ({ fact: 1 }) })
// 111 snapshots that are true
// @ts-expect-error
base().required('a', () => fact()).reply(Fact, ({ a }) => a, { snapshot: true })
// 112 merge of snapshots that reads a step that does not exist
// @ts-expect-error
base().required('a', () => fact()).reply(Fact, ({ a }) => a, { snapshot: ({ b }) => b })
// 113 merge of snapshots that changes the names of the steps that have not ended
// @ts-expect-error
base().required('a', () => fact()).reply(Fact, ({ a }) => a, { snapshot: ({ a }, pending) => (pending.pop(), a) })
// 124 fallback of failed calls that is a call
// @ts-expect-error
base().each('a', () => [fact()], { minSuccess: 0, fallback: fact() })
// 125 fallback of failed calls that is a function
// @ts-expect-error
base().each('a', () => [fact()], { minSuccess: 0, fallback: () => null })
// 126 fallback that is a list of calls
// @ts-expect-error
base().optional('a', () => facts({ count: 1 }), { fallback: [fact()] })
// 127 fallback that is a chain
// @ts-expect-error
base().each('a', () => [fact()], { minSuccess: 0, fallback: chain(fact(), () => picture()) })
// 128 fallback that is an operation
// @ts-expect-error
base().optional('a', () => fact(), { fallback: fact })
// 129 fallback that may be a call
// @ts-expect-error
base().optional('a', () => fact(), { fallback: base.length > 3 ? null : fact() })
// 130 fallback that has a chain in a field
// @ts-expect-error
base().optional('a', () => facts({ count: 1 }), { fallback: { order: chain(fact(), () => picture()) } })
// 131 entry of origins without its origin
// @ts-expect-error
defineUpstream('a', { origins: [{ weight: 2 }] }, {})
