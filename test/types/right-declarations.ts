// Declarations that the type checker must take, with the exact types it infers from them.
import { z } from 'zod'
import { aggregate, chain, offload, skip, times, type AnyAggregate, type Replied } from '../../src/fanout/aggregate.ts'
import type { Chain } from '../../src/fanout/chain.ts'
import type { ReplyExtras } from '../../src/fanout/on-reply.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { byCursor } from '../../src/fanout/page-by-cursor.ts'
import { byLink } from '../../src/fanout/page-by-link.ts'
import { byOffset } from '../../src/fanout/page-by-offset.ts'
import type { Outcome } from '../../src/fanout/outcome.ts'
import { runAggregate } from '../../src/testing/run-aggregate.ts'
import { defineUpstream, type Call, type Operation } from '../../src/upstream/declare.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'
import { withContext as typedContext } from '../../src/upstream/policies/custom/with-context.ts'
import type { Layers } from '../../src/upstream/spec/layers.ts'
import type { Answer } from '../../src/upstream/spec/answer.ts'
import type { LayerCall, CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { upstream, type Breed, type Fact, type Picture, type Summary, type Taken } from './clients.ts'
import type * as functions from './functions.ts'
import type * as oneFunction from './one-function.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Typed<A> = { is: <B>(same: Equal<A, B>) => void }
/** `typed(value).is<Wanted>` takes its `true` only when the value's type is exactly `Wanted`. */
declare function typed<A>(value: A): Typed<A>
declare function register(aggregates: readonly AnyAggregate[]): void
declare const runtime: Runtime

const { breed, fact, facts, picture, summary, note } = upstream
const R = z.object({ name: z.string() })
const lengths = offload<typeof functions, 'lengths'>(new URL('./functions.ts', import.meta.url), 'lengths')

// Operations: what they take and what they answer
typed(breed).is<Operation<{ id: string }, Breed>>(true)
typed(upstream.file).is<Operation<{ path: string }, Fact>>(true)
typed(fact()).is<Call<Fact>>(true)
typed(fact({})).is<Call<Fact>>(true)
typed(fact({ max_length: 3 })).is<Call<Fact>>(true)
typed(note({ id: '1', body: { text: 'x' } })).is<Call<{ ok: boolean }>>(true)
typed(upstream.priced).is<
  Operation<{ id: string; readonly headers: { 'x-tenant': string; 'x-version'?: number | undefined } }, Fact>
>(true)
typed(upstream.priced({ id: 'a', headers: { 'x-tenant': 'acme' } })).is<Call<Fact>>(true)
typed(upstream.hinted()).is<Call<Fact>>(true)
typed(upstream.hinted({ headers: {} })).is<Call<Fact>>(true)
typed(upstream.searched({ body: 'tea' })).is<Call<readonly string[]>>(true)
typed(upstream.asked({ body: 'tea' })).is<Call<Fact>>(true)
typed(upstream.signIn({ body: { user: 'x', scope: ['a'] } })).is<Call<{ ok: boolean }>>(true)
typed(
  upstream.upload({
    body: {
      title: 'x',
      file: { bytes: Buffer.from('x'), filename: 'x' },
      more: [{ stream: new Blob(['x']).stream(), filename: 'x' }],
    },
  }),
).is<Call<{ ok: boolean }>>(true)
typed(upstream.send({ body: Uint8Array.of(1) })).is<Call<{ ok: boolean }>>(true)
typed(upstream.send({ body: { stream: new Blob(['x']).stream(), size: 1 } })).is<Call<{ ok: boolean }>>(true)
typed(upstream.send()).is<Call<{ ok: boolean }>>(true)
typed(upstream.listedByKind('a')).is<Call<string>>(true)
typed(upstream.maybe()).is<Call<Breed | null>>(true)
typed(upstream.absent()).is<Call<Breed | null>>(true)
typed(upstream.withHeaders()).is<Call<{ readonly body: Breed; readonly headers: { etag: string } }>>(true)
typed(upstream.named).is<Operation<string, Readonly<Breed>>>(true)
typed(upstream.named('a')).is<Call<Readonly<Breed>>>(true)
typed(upstream.listed).is<Operation<{ readonly id: number }, readonly string[]>>(true)
typed(upstream.listed({ id: 1 })).is<Call<readonly string[]>>(true)
typed(upstream.absentWithHeaders()).is<Call<{ readonly body: Breed; readonly headers: { etag: string } } | null>>(true)
typed(upstream.byStatus()).is<
  Call<
    | { readonly status: 200; readonly body: Breed }
    | { readonly status: 204; readonly body: null }
    | { readonly status: 409; readonly body: Taken }
  >
>(true)
typed(upstream.byStatusWithHeaders()).is<
  Call<
    | { readonly status: 200; readonly body: Readonly<Breed>; readonly headers: { readonly etag: string } }
    | { readonly status: 404; readonly body: null; readonly headers: { readonly etag: string } }
  >
>(true)
aggregate('by-status', { url: '/v1/by-status' })
  .required('answer', () => upstream.byStatus())
  .reply(R, ({ answer }) => {
    if (answer.status === 409) typed(answer.body).is<Taken>(true)
    if (answer.status !== 200) return { name: 'none' }
    typed(answer.body).is<Breed>(true)
    return { name: answer.body.name }
  })

// The input: each part by its schema's output
aggregate('all-parts', {
  url: '/v1/{breed}/{page}',
  method: 'PUT',
  params: z.object({ breed: z.string(), page: z.coerce.number() }),
  query: z.object({ count: z.coerce.number().default(3), tags: z.array(z.string()).optional() }),
  body: z.object({ when: z.string().transform(text => new Date(text)) }),
  headers: z.object({ 'accept-language': z.string().optional() }),
})
  .required('seen', ({ params, query, body, headers, signal }) => {
    typed(params).is<{ breed: string; page: number }>(true)
    typed(query).is<{ count: number; tags?: string[] | undefined }>(true)
    typed(body).is<{ when: Date }>(true)
    typed(headers).is<{ 'accept-language'?: string | undefined }>(true)
    typed(signal).is<AbortSignal>(true)
    return picture()
  })
  .reply(R, ({ params, body, signal }) => {
    typed(params.page).is<number>(true)
    typed(body.when).is<Date>(true)
    typed(signal).is<AbortSignal>(true)
    return { name: params.breed }
  })

// No schemas: empty parts, and no body at all
aggregate('no-parts', { url: '/v1/none' }).required('seen', seen => {
  typed(seen.params).is<{}>(true)
  typed(seen.query).is<{}>(true)
  typed(seen.headers).is<{}>(true)
  typed<keyof typeof seen>('params').is<'params' | 'query' | 'headers' | 'signal' | 'ask'>(true)
  return 1
})

const base = () =>
  aggregate('b', {
    url: '/v1/b/{breed}',
    params: z.object({ breed: z.string() }),
    query: z.object({ count: z.coerce.number() }),
  }).required('found', ({ params }) => breed({ id: params.breed }))

// required: the answer, or a plain value, sync or async
base()
  .required('plain', () => 3)
  .required('later', async () => ({ at: 1 }))
  .required('either', ({ query }) => (query.count > 1 ? ('many' as const) : (1 as const)))
  .required('nothing', () => null)
  .required('pictured', async () => picture())
  .required('list', () => ['a', 'b'])
  .reply(R, seen => {
    typed(seen.found).is<Breed>(true)
    typed(seen.plain).is<number>(true)
    typed(seen.later).is<{ at: number }>(true)
    typed(seen.either).is<'many' | 1>(true)
    typed(seen.nothing).is<null>(true)
    typed(seen.pictured).is<Picture>(true)
    typed(seen.list).is<string[]>(true)
    return { name: seen.found.name }
  })

// ask: the answer of a call, in a step of any kind
base()
  .required('asked', async ({ ask }) => {
    const answer = await ask(picture())
    typed(answer).is<Picture>(true)
    return { answer }
  })
  .required('passed', ({ ask }) => ask(picture()))
  .required('awaited', async () => {
    const call = await picture()
    return call
  })
  .optional('maybe', async ({ ask }) => (await ask(upstream.absent())) ?? skip, { fallback: null })
  .each('all', async ({ ask }) => (await ask(facts({ count: 2 }))).data.map(title => summary({ title })))
  .firstOf('one', async ({ ask }) => [summary({ title: (await ask(picture())).url })])
  .reply(R, seen => {
    typed(seen.asked).is<{ answer: Picture }>(true)
    typed(seen.passed).is<Picture>(true)
    typed(seen.awaited).is<Picture>(true)
    typed(seen.maybe).is<Readonly<Breed> | null>(true)
    typed(seen.all).is<Summary[]>(true)
    typed(seen.one).is<Summary>(true)
    return { name: seen.found.name }
  })

// optional: the answer or the fallback; the fallback's type goes where the answer's takes it in
base()
  .optional('orNull', () => picture(), { fallback: null })
  .optional('orSame', () => picture(), { fallback: { url: 'none' } })
  .optional('orEmpty', () => facts({ count: 1 }), { fallback: { data: [] } })
  .optional('orSkip', ({ query }) => (query.count > 3 ? picture() : skip), { fallback: null })
  .optional('laterOrSkip', async ({ query }) => (query.count > 3 ? picture() : skip), { fallback: 0 })
  .optional('plain', () => 'text', { fallback: null })
  .optional('nothing', () => null, { fallback: null })
  .reply(R, seen => {
    typed(seen.orNull).is<Readonly<Picture> | null>(true)
    typed(seen.orSame).is<Readonly<Picture>>(true)
    typed(seen.orEmpty).is<{ readonly data: readonly string[] }>(true)
    typed(seen.orSkip).is<Readonly<Picture> | null>(true)
    typed(seen.laterOrSkip).is<Readonly<Picture> | number>(true)
    typed(seen.plain).is<string | null>(true)
    typed(seen.nothing).is<null>(true)
    return { name: seen.orSame.url }
  })

// optional: a fallback of another type is added to the type of the value
const anything = JSON.parse('1')
base()
  .optional('orNothing', () => picture(), { fallback: undefined })
  .optional('orText', () => picture(), { fallback: 'none' })
  .optional('orLiteral', () => picture(), { fallback: 'none' as const })
  .optional('orList', () => ['a'], { fallback: [] })
  .optional('orLists', () => ({ lists: [['a']] }), { fallback: { lists: [] } })
  .optional('orDate', () => picture(), { fallback: new Date(0) })
  .optional('orAny', () => picture(), { fallback: anything })
  .optional('orAnyList', () => picture(), { fallback: [anything] })
  .optional('orAnyField', () => picture(), { fallback: { url: anything } })
  .optional('orUnknown', () => picture(), { fallback: anything as unknown })
  .optional('orMade', ({ found }) => summary({ title: found.name }), { needs: ['found'], fallback: { title: '' } })
  .each('lists', () => [facts({ count: 1 })], { minSuccess: 0, fallback: [] })
  .reply(R, seen => {
    typed(seen.orNothing).is<Readonly<Picture> | undefined>(true)
    typed(seen.orText).is<Readonly<Picture> | string>(true)
    typed(seen.orLiteral).is<Readonly<Picture> | 'none'>(true)
    typed(seen.orList).is<readonly string[]>(true)
    typed(seen.orLists).is<{ readonly lists: readonly (readonly string[])[] }>(true)
    typed(seen.orDate).is<Readonly<Picture> | Date>(true)
    return { name: seen.found.name }
  })

// optional: a fallback with a type parameter of a function that adds steps
export function withDefaults<T>(list: readonly T[], value: T) {
  return base()
    .optional('orItems', () => picture(), { fallback: list })
    .optional('orField', () => picture(), { fallback: { value } })
    .each('orEach', () => [facts({ count: 1 })], { minSuccess: 0, fallback: [value] })
}

// optional: readonly all the way down, since the value is frozen
base()
  .optional(
    'parts',
    () => ({
      map: new Map([['a', [1]]]),
      set: new Set([{ b: 1 }]),
      when: new Date(),
      bytes: Buffer.from(''),
      make: () => [1],
      pair: [1, ['x']] as [number, string[]],
    }),
    { fallback: null },
  )
  .reply(R, ({ found, parts }) => {
    typed(parts?.map).is<ReadonlyMap<string, readonly number[]> | undefined>(true)
    typed(parts?.set).is<ReadonlySet<{ readonly b: number }> | undefined>(true)
    typed(parts?.when).is<Date | undefined>(true)
    typed(parts?.bytes).is<Buffer<ArrayBuffer> | undefined>(true)
    typed(parts?.make).is<(() => number[]) | undefined>(true)
    typed(parts?.pair).is<readonly [number, readonly string[]] | undefined>(true)
    return { name: found.name }
  })

// What callers share is frozen too: coalesced and kept answers
typed(upstream.shared()).is<Call<{ readonly data: readonly string[] }>>(true)
typed(upstream.kept()).is<Call<{ readonly data: readonly string[] } | null>>(true)
typed(upstream.keptByAll()).is<Call<{ readonly data: readonly string[] }>>(true)
typed(upstream.keptFor()).is<
  Call<{ readonly body: { readonly data: readonly string[] }; readonly headers: { readonly etag: string } }>
>(true)
typed(upstream.fresh()).is<Call<{ data: string[] }>>(true)
base()
  .required('shared', () => upstream.shared())
  .firstOf('one', () => [upstream.shared(), upstream.fresh()])
  .each('all', () => [upstream.shared()])
  .reply(z.object({ lists: z.array(z.array(z.string())) }), ({ shared, one, all }) => {
    typed(shared).is<{ readonly data: readonly string[] }>(true)
    typed(one).is<{ readonly data: readonly string[] }>(true)
    typed(all).is<{ readonly data: readonly string[] }[]>(true)
    return { lists: [shared.data, one.data, ...all.map(({ data }) => data)] }
  })

// Frozen values go into calls and into threads
base()
  .optional('names', () => ['a'], { fallback: [] })
  .required('sent', ({ names }) => upstream.tagged({ tags: names }), { needs: ['names'] })
  .optional('total', async ({ names }) => lengths(names), { fallback: null, needs: ['names'] })

// each: a list in the order of the calls, with the fallback among them where losses are tolerated
base()
  .each('all', ({ query }) => times(query.count, () => fact()))
  .each('some', ({ query }) => times(query.count, () => fact()), {
    concurrency: 4,
    maxItems: 10,
    timeout: 100,
    minSuccess: 2,
    fallback: null,
  })
  .each('same', () => [fact()], { minSuccess: 0, fallback: { fact: '', length: 0 } })
  .each('cut', ({ query }) => times(query.count, () => fact()), { maxItems: 10, overflow: 'truncate' })
  .each('skipped', ({ query }) => (query.count === 0 ? skip : [picture()]))
  .each('later', async ({ found }) => [summary({ title: found.name })], { needs: ['found'] })
  .each('unlike', () => [picture(), fact()])
  .each('unlikeOrNull', async () => [picture(), fact()], { minSuccess: 1, fallback: null })
  .reply(R, seen => {
    typed(seen.all).is<Fact[]>(true)
    typed(seen.some).is<readonly (Readonly<Fact> | null)[]>(true)
    typed(seen.cut).is<Fact[]>(true)
    typed(seen.same).is<readonly Readonly<Fact>[]>(true)
    typed(seen.skipped).is<Picture[]>(true)
    typed(seen.later).is<Summary[]>(true)
    typed(seen.unlike).is<(Picture | Fact)[]>(true)
    typed(seen.unlikeOrNull).is<readonly (Readonly<Picture> | Readonly<Fact> | null)[]>(true)
    return { name: seen.found.name }
  })

// chain: each function gets the values before it, through four functions, and the last one gives the value
typed(chain(fact(), () => picture())).is<Chain<Picture>>(true)
typed(chain(fact(), async () => picture())).is<Chain<Picture>>(true)
typed(chain(fact(), one => one.length)).is<Chain<number>>(true)
typed(chain(fact(), ({ length }) => (length > 3 ? picture() : null))).is<Chain<Picture | null>>(true)
typed(chain(upstream.shared(), one => one.data)).is<Chain<readonly string[]>>(true)
base()
  .each('pairs', ({ query }) =>
    times(query.count, () =>
      chain(
        breed({ id: '1' }),
        one => summary({ title: one.name }),
        (one, two) => ({ one, two }),
      ),
    ),
  )
  .each(
    'fours',
    ({ found }) => [
      chain(
        breed({ id: found.id }),
        one => {
          typed(one).is<Breed>(true)
          return summary({ title: one.name })
        },
        async (one, two) => {
          typed(one).is<Breed>(true)
          typed(two).is<Summary>(true)
          return two.title === '' ? null : picture()
        },
        (_one, _two, three) => {
          typed(three).is<Picture | null>(true)
          return 4
        },
        (one, two, three, four) => {
          typed(one).is<Breed>(true)
          typed(two).is<Summary>(true)
          typed(three).is<Picture | null>(true)
          typed(four).is<number>(true)
          return facts({ count: four })
        },
      ),
    ],
    { needs: ['found'] },
  )
  .each('tolerant', () => [chain(fact(), () => picture())], { minSuccess: 0, fallback: null })
  .each('mixed', async () => [fact(), chain(fact(), () => picture())])
  .each('skippedChains', ({ query }) => (query.count === 0 ? skip : [chain(fact(), () => picture())]))
  .reply(R, seen => {
    typed(seen.pairs).is<{ one: Breed; two: Summary }[]>(true)
    typed(seen.fours).is<{ data: string[] }[]>(true)
    typed(seen.tolerant).is<readonly (Readonly<Picture> | null)[]>(true)
    typed(seen.mixed).is<(Fact | Picture)[]>(true)
    typed(seen.skippedChains).is<Picture[]>(true)
    return { name: seen.found.name }
  })

// firstOf: one answer, or a list where several are taken
base()
  .firstOf('one', () => [picture(), picture()])
  .firstOf('alsoOne', () => [picture()], { count: 1 })
  .firstOf('two', () => [picture(), picture(), picture()], { count: 2 })
  .firstOf('mixed', async ({ found }) => [summary({ title: found.name }), summary({ title: found.id })], {
    needs: ['found'],
    timeout: 5,
  })
  .firstOf('either', () => [picture(), fact()])
  .firstOf('both', () => [picture(), fact()], { count: 2 })
  .reply(R, seen => {
    typed(seen.one).is<Picture>(true)
    typed(seen.alsoOne).is<Picture>(true)
    typed(seen.two).is<Picture[]>(true)
    typed(seen.mixed).is<Summary>(true)
    typed(seen.either).is<Picture | Fact>(true)
    typed(seen.both).is<(Picture | Fact)[]>(true)
    return { name: seen.one.url }
  })

// pages: the pages in order, without absent ones, which next and its helpers may read but not change
base()
  .pages('chained', ({ params }) => breed({ id: params.breed }), {
    next: (page, index, { params, query }, pages) => {
      typed(page).is<{ readonly id: string; readonly name: string }>(true)
      typed(index).is<number>(true)
      typed(params).is<{ breed: string }>(true)
      typed(pages).is<readonly { readonly id: string; readonly name: string }[]>(true)
      return index < query.count ? breed({ id: page.id }) : undefined
    },
  })
  // The compiler checks this next before it knows the type of the first page.
  .pages('early', ({ params }) => breed({ id: params.breed }), { next: () => breed({ id: '1' }) })
  .pages('declared', ({ params }) => breed({ id: params.breed }), {
    next: (page: { readonly id: string }) => breed(page),
  })
  .pages('absent', async () => upstream.absent(), { next: async page => [upstream.absent(), breed({ id: page.id })] })
  .pages('skipped', ({ query }) => (query.count > 3 ? fact() : skip), { next: () => null, timeout: 5 })
  .pages('linked', () => upstream.absentWithHeaders(), {
    needs: ['found'],
    next: byLink(
      ({ headers }) => headers.etag,
      (query, page, { found, params }) => {
        typed(query['page']).is<string | undefined>(true)
        typed(page.body.name).is<string>(true)
        typed(found).is<Breed>(true)
        typed(params.breed).is<string>(true)
        return upstream.withHeaders()
      },
    ),
  })
  .pages('cursor', () => facts({ count: 1 }), {
    next: byCursor(
      page => (page.data.length > 3 ? page.data.length : null),
      cursor => {
        typed(cursor).is<number>(true)
        return facts({ count: cursor })
      },
    ),
  })
  .pages('counted', () => facts({ count: 1 }), {
    next: byOffset({ total: page => page.data.length, count: () => 1 }, (offset, page, { query }) => {
      typed(page).is<{ readonly data: readonly string[] }>(true)
      return facts({ count: offset + query.count })
    }),
    maxPages: 2,
    concurrency: 2,
    overflow: 'truncate',
    onLoss: 'keep',
  })
  .pages('shared', () => upstream.shared(), { next: (_, index) => times(index, () => upstream.fresh()) })
  .reply(R, seen => {
    typed(seen.chained).is<Breed[]>(true)
    typed(seen.early).is<Breed[]>(true)
    typed(seen.declared).is<Breed[]>(true)
    typed(seen.absent).is<Breed[]>(true)
    typed(seen.skipped).is<Fact[]>(true)
    typed(seen.linked).is<{ readonly body: Breed; readonly headers: { etag: string } }[]>(true)
    typed(seen.cursor).is<{ data: string[] }[]>(true)
    typed(seen.counted).is<{ data: string[] }[]>(true)
    typed(seen.shared).is<{ readonly data: readonly string[] }[]>(true)
    return { name: seen.found.name }
  })

// needs: those values and no others, with the fallback's type where one can stand in
base()
  .optional('shot', () => picture(), { fallback: null })
  .required(
    'both',
    seen => {
      typed(seen.found).is<Breed>(true)
      typed(seen.shot).is<Readonly<Picture> | null>(true)
      typed<keyof typeof seen>('found').is<'params' | 'query' | 'headers' | 'signal' | 'ask' | 'found' | 'shot'>(true)
      return 1
    },
    { needs: ['found', 'shot'] },
  )

// reply: the merge gives the schema's input, a caller gets its output
const dated = base().reply(
  z.object({ name: z.string(), when: z.string().transform(text => new Date(text)) }),
  async ({ found }) => ({ name: found.name, when: '2026' }),
)
typed(dated).is<
  Replied<
    {
      readonly params: { breed: string }
      readonly query: { count: number }
      readonly headers: {}
      readonly signal: AbortSignal
    } & {},
    { name: string; when: Date },
    'found'
  >
>(true)
const reply = await fanOut(dated, {}, { runtime })
typed(reply.data).is<{ name: string; when: Date }>(true)
typed(reply.sources).is<Record<'found', Outcome> & { readonly context?: Outcome }>(true)
typed(reply.sources.context).is<Outcome | undefined>(true)
typed(reply.complete).is<boolean>(true)

// Aggregates of any kind stand in one list
register([
  dated,
  base().reply(R, ({ found }) => ({ name: found.name })),
  aggregate('bare', { url: '/v1' }).reply(z.null(), () => null),
])

// context(): its value is the context, sync or async, a value or a call's answer; without one there is none
interface User {
  readonly id: string
  readonly claims: readonly string[]
}
const user: User = { id: 'ada', claims: [] }
const hooked = aggregate('hooked', {
  url: '/v1/hooked',
  query: z.object({ count: z.coerce.number() }),
  headers: z.object({ authorization: z.string() }),
})
const withUser = hooked.context(async ({ headers, query, ask, ...rest }) => {
  typed(headers).is<{ authorization: string }>(true)
  typed(query).is<{ count: number }>(true)
  typed<keyof typeof rest>('params').is<'params' | 'signal'>(true)
  typed(await ask(breed({ id: '1' }))).is<Breed>(true)
  return user
})
const withContext = withUser
  .required('one', ({ context }) => {
    typed(context).is<User>(true)
    return breed({ id: context.id })
  })
  .each(
    'many',
    ({ context, one }) => {
      typed(context).is<User>(true)
      return [summary({ title: one.name })]
    },
    { needs: ['one'] },
  )
  .reply(
    R,
    ({ context, one }) => {
      typed(context).is<User>(true)
      return { name: one.name + context.id }
    },
    { status: [200, 201] },
  )
hooked.context(() => 3).required('a', ({ context }) => typed(context).is<number>(true) ?? 1)
hooked.context(() => breed({ id: '1' })).required('a', ({ context }) => typed(context).is<Breed>(true) ?? 1)
hooked
  .context(async ({ query }) => (query.count > 1 ? user : null))
  .required('a', ({ context }) => typed(context).is<User | null>(true) ?? 1)
hooked
  .context(() => ({ tenant: 'a' as const }))
  .reply(R, ({ context }) => {
    typed(context).is<{ tenant: 'a' }>(true)
    return { name: context.tenant }
  })
hooked
  .context(() => {})
  .required('a', seen => {
    typed<keyof typeof seen>('params').is<'params' | 'query' | 'headers' | 'signal' | 'ask'>(true)
    return 1
  })

// onReply(): the reply as it is sent, beside the input and the context
const answered = withContext.onReply(({ data, complete, sources, context, query }) => {
  typed(data).is<{ name: string }>(true)
  typed(complete).is<boolean>(true)
  typed(sources).is<Record<'one' | 'many', Outcome> & { readonly context?: Outcome }>(true)
  typed(context).is<User>(true)
  typed(query).is<{ count: number }>(true)
  return { headers: { 'x-user': context.id, 'set-cookie': ['a=1', 'b=2'] } }
})
typed((await fanOut(answered, {}, { runtime })).data).is<{ name: string }>(true)
withContext.onReply(async ({ data }): Promise<ReplyExtras | undefined> =>
  data.name === '' ? undefined : { headers: {} },
)
withContext.onReply(() => {})
withContext.onReply(({ data }) => (data.name === '' ? undefined : { status: 201, headers: { location: '/a' } }))
withContext.onReply(async () => {})
register([answered, withContext])
await runAggregate(answered, {}, { upstreams: {}, context: user })

// Own layers
const through: CustomLayer = next => call => next(call)
const tenanted: CustomLayer<{ readonly tenant: string }> = next => call =>
  next(call.with({ headers: { 'x-tenant': call.context.tenant } }))
const checked = typedContext(
  z.object({ tenant: z.string().transform(text => text.length) }).optional(),
  next => call => {
    typed(call.context).is<{ tenant: number } | undefined>(true)
    typed(call.with({ headers: {} }).context).is<{ tenant: number } | undefined>(true)
    return next(call)
  },
)
typed(checked).is<CustomLayer>(true)
const inCall: Layers = { call: [checked, typedContext(z.object({ tenant: z.string() }), tenanted)] }
defineUpstream('tenanted', { origin: 'http://own.test', layers: inCall }, {})
const placed: Layers = { call: [through], attempt: [through] }
defineUpstream('placed', { origin: 'http://own.test', layers: placed }, {})
defineUpstream(
  'own',
  {
    origin: 'http://own.test',
    layers: {
      call: [
        next => call => next(call),
        (next, place) =>
          <T>(call: LayerCall<T>): Answer<T> | Promise<Answer<T>> => {
            typed(place.origin).is<string>(true)
            return next(call).catch(() => ({ value: null as T, status: 204 }))
          },
      ],
      attempt: [
        next => async call => {
          typed(call.operation).is<string>(true)
          const answer = await next(call.with({ headers: { 'x-a': String(call.attempt) } }))
          return { ...answer, status: 200 }
        },
      ],
    },
  },
  {},
)

// Offloaded functions: what they take, and a promise of what they give
const place = new URL('./functions.ts', import.meta.url)
const nameOf = offload<typeof oneFunction>(place, 'nameOf')
typed(nameOf).is<(seen: { readonly found: Readonly<Breed> }) => Promise<{ name: string }>>(true)
const named = offload<typeof functions, 'named'>(place, 'named')
const sum = offload<typeof functions, 'sum'>(place, 'sum')
typed(named).is<
  (seen: { readonly found: Readonly<Breed>; readonly query: { readonly count: number } }) => Promise<{ name: string }>
>(true)
typed(sum(1)).is<Promise<number>>(true)
typed(sum(1, 2, 3, 4)).is<Promise<number>>(true)
typed(offload<typeof functions, 'anything'>(place, 'anything')).is<
  (given: Readonly<Record<string, unknown>>) => Promise<unknown>
>(true)
register([base().reply(R, nameOf), base().reply(R, named)])
base()
  .required('again', named, { needs: ['found'] })
  .optional('total', async ({ query }) => sum(query.count, 2), { fallback: null })
  .reply(R, async seen => {
    typed(seen.again).is<{ name: string }>(true)
    typed(seen.total).is<number | null>(true)
    return named(seen)
  })

aggregate('either', { url: '/either', query: z.object({ named: z.coerce.boolean() }) })
  .required('it', ({ query, ask }) => ask(query.named ? upstream.breed({ id: 'a' }) : fact()))
  .reply(z.unknown(), ({ it }) => typed(it).is<Breed | Fact>(true))
