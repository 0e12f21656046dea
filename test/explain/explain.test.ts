import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, chain, offload, refuse, skip, times, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { aggregates } from '../../src/routes/index.ts'
import { defineUpstream, operation, type Call } from '../../src/upstream/declare.ts'
import { elapsed, until } from '../helpers/until.ts'
import { callOf, explained, pathsOf, stepOf } from './helpers/explained.ts'

const Page = z.object({ next: z.string().nullable() })
const shop = defineUpstream(
  'shop',
  { origin: 'https://shop.example/v1' },
  {
    order: operation({ path: '/orders/{id}', params: z.object({ id: z.string() }), output: z.unknown() }),
    count: operation({ path: '/count', query: z.object({ n: z.number().int().min(1) }), output: z.unknown() }),
    any: operation({ path: '/any', query: z.record(z.string(), z.unknown()), output: z.unknown() }),
    page: operation({ path: '/page', query: z.object({ after: z.string().optional() }), output: Page }),
    fixed: operation({ path: '/fixed', output: z.unknown() }),
    digits: operation({
      path: '/digits/{id}',
      params: z.object({ id: z.string().regex(/^\d+$/) }),
      output: z.unknown(),
    }),
    create: operation({
      method: 'POST',
      path: '/orders',
      body: z.object({ sku: z.string(), count: z.number() }),
      headers: z.object({ 'x-tenant': z.string(), 'x-note': z.string().optional() }),
      idempotencyKey: ({ body }) => `order-${body.sku.slice(0, 3)}`,
      output: z.unknown(),
    }),
    upload: operation({ method: 'POST', path: '/files', bodyType: 'bytes', body: z.unknown(), output: z.unknown() }),
    form: operation({
      method: 'POST',
      path: '/form',
      bodyType: 'multipart',
      body: z.object({ name: z.string() }),
      output: z.unknown(),
    }),
    prices: operation({
      path: '/prices',
      query: z.object({ ids: z.array(z.string()) }),
      output: z.array(z.unknown()),
      keyBatch: { maxKeys: 20, call: (ids: readonly string[]) => ({ ids: [...ids] }), pick: all => all[0] },
    }),
  },
)

const One = z.object({ id: z.string(), n: z.coerce.number().optional() })
const one = () =>
  aggregate('one', { url: '/one/{id}', params: z.object({ id: z.string() }), query: One.omit({ id: true }) })
const reply = z.unknown()

test('the explanation of each built-in aggregate has every step, and the upstreams of its calls', async t => {
  for (const each of aggregates) {
    const { steps, upstreams, aggregate: name } = await explained(each)
    t.same(
      steps.map(step => step.name),
      each.steps.map(step => step.name),
      name,
    )
    const called = new Set(steps.flatMap(step => step.calls.map(({ operation: full }) => full.split('.')[0] as string)))
    t.same(new Set(Object.keys(upstreams)), called, name)
    t.notMatch(JSON.stringify(steps), 'cannot be shown', name)
  }
})

test('a given field is in the calls, and a missing field is a template', async t => {
  const each = one()
    .required('order', ({ params }) => shop.order({ id: params.id }))
    .required('count', ({ query }) => (query.n === undefined ? shop.fixed() : shop.count({ n: query.n })))
    .reply(reply, () => 1)
  const known = await explained(each, { params: { id: 'a b' }, query: { n: '3' } })
  t.same(pathsOf(known, 'order'), ['/v1/orders/a%20b'])
  t.same(pathsOf(known, 'count'), ['/v1/count?n=3'])
  const unknown = await explained(each)
  t.same(pathsOf(unknown, 'order'), ['/v1/orders/{params.id}'])
  t.same(pathsOf(unknown, 'count'), ['/v1/fixed'], 'an optional field that is missing is undefined')
})

test('a wrong field is refused with all its faults, also if another field is missing', async t => {
  const each = aggregate('two', {
    url: '/two/{id}',
    params: z.object({ id: z.string().max(3) }),
    query: z.object({ count: z.coerce.number(), size: z.coerce.number().max(9) }),
    headers: z.object({ 'X-Tenant': z.string(), 'x-kind': z.enum(['a', 'b']) }),
  })
    .required('it', ({ headers }) => shop.order({ id: headers['X-Tenant'] }))
    .reply(reply, () => 1)
  await t.rejects(explained(each, { params: { id: 'long' }, query: { size: '10' }, headers: { 'x-kind': 'c' } }), {
    code: 'INPUT_INVALID',
    faults: [{ pointer: '/params/id' }, { pointer: '/query/size' }, { pointer: '/headers/x-kind' }],
  })
  const found = await explained(each, { headers: { 'X-KIND': 'a' } })
  t.same(pathsOf(found, 'it'), ['/v1/orders/{headers.X-Tenant}'])
})

test('a part whose schema changes its fields is one template if a field is missing', async t => {
  const Query = z.object({ a: z.string(), b: z.string().optional() }).transform(({ a }) => ({ id: `${a}!` }))
  const text = z.object({ n: z.string() }).transform(({ n }) => n)
  const each = aggregate('each', { url: '/each', query: Query, headers: text })
    .required('it', ({ query, headers }) => shop.order({ id: `${query.id}${headers}` }))
    .reply(reply, () => 1)
  t.same(pathsOf(await explained(each, { query: { a: 'x' }, headers: { n: 'y' } }), 'it'), ['/v1/orders/x!y'])
  t.same(pathsOf(await explained(each, { query: { a: undefined } }), 'it'), ['/v1/orders/{query.id}{headers}'])
})

test('a body that is missing is one template, and a given body is read by its schema', async t => {
  const each = aggregate('basket', { url: '/basket', method: 'POST', body: z.object({ ids: z.array(z.string()) }) })
    .each('orders', ({ body }) => body.ids.map(id => shop.order({ id })), { maxItems: 7 })
    .reply(reply, () => 1)
  const unknown = await explained(each)
  t.match(callOf(unknown, 'orders'), {
    path: '/v1/orders/{body.ids[*]}',
    times: { perItemOf: 'body.ids', atMost: 7 },
  })
  t.same(pathsOf(await explained(each, { body: { ids: ['a', 'b'] } }), 'orders'), ['/v1/orders/a', '/v1/orders/b'])
  await t.rejects(explained(each, { body: { ids: 7 } }), { code: 'INPUT_INVALID' })
  const optional = aggregate('maybe', { url: '/maybe', method: 'POST', body: z.object({ id: z.string() }).optional() })
    .required('it', ({ body }) => (body === undefined ? shop.fixed() : shop.order(body)))
    .reply(reply, () => 1)
  t.same(pathsOf(await explained(optional), 'it'), ['/v1/fixed'])
})

test('a value of another step is a template, whatever the function of that step returns', async t => {
  const each = one()
    .required('first', ({ params }) => shop.order({ id: params.id }))
    .required('value', () => ({ id: 'known here' }))
    .required('second', ({ first, value }) => shop.order({ id: `${String(first)}-${value.id}` }), {
      needs: ['first', 'value'],
    })
    .reply(reply, () => 1)
  const explanation = await explained(each, { params: { id: 'a' } })
  t.same(pathsOf(explanation, 'second'), ['/v1/orders/{first}-{value.id}'])
  t.same(stepOf(explanation, 'second').after, ['first', 'value'])
  t.same(stepOf(explanation, 'value').notes, ['makes no call'])
  const given = await explained(each, {}, { values: { first: 'b', value: { id: 'c' } } })
  t.same(pathsOf(given, 'second'), ['/v1/orders/b-c'], 'a given value takes its place')
})

test('a list of another step is one template with its bound', async t => {
  const list = z.array(z.object({ id: z.string(), tags: z.array(z.string()) }))
  const source = defineUpstream(
    'source',
    { origin: 'https://a.example' },
    { list: operation({ path: '/', output: list }) },
  )
  const each = aggregate('lists', { url: '/lists' })
    .required('found', () => source.list())
    .each('mapped', ({ found }) => found.map(({ id }) => shop.order({ id })), { needs: ['found'] })
    .each(
      'cut',
      ({ found }) =>
        found
          .filter(({ id }) => id > 'a')
          .slice(0, 4)
          .map(({ id }) => shop.order({ id })),
      {
        needs: ['found'],
      },
    )
    .each('flat', ({ found }) => found.flatMap(({ tags }) => tags.map(id => shop.order({ id }))), { needs: ['found'] })
    .each('constant', ({ found }) => found.map(() => shop.fixed()), { needs: ['found'], maxItems: 9 })
    .each(
      'loop',
      ({ found }) => {
        const calls: Call<unknown>[] = []
        for (const { id } of found) calls.push(shop.order({ id }))
        found.forEach(({ id }) => calls.push(shop.order({ id: `${id}!` })))
        return calls
      },
      { needs: ['found'] },
    )
    .required('picked', ({ found }) => shop.order({ id: found.find(({ id }) => id === 'x')?.id ?? 'none' }), {
      needs: ['found'],
    })
    .required('last', ({ found }) => shop.order({ id: `${found.at(-1)?.id}${found.at(2)?.id}${found[1]?.id}` }), {
      needs: ['found'],
    })
    .reply(reply, () => 1)
  const explanation = await explained(each)
  const shown = (name: string) => stepOf(explanation, name).calls.map(({ path, times: sent }) => [path, sent])
  t.same(shown('mapped'), [['/v1/orders/{found[*].id}', { perItemOf: 'found', atMost: 100 }]])
  t.same(shown('cut'), [['/v1/orders/{found[*].id}', { perItemOf: 'found', atMost: 4 }]])
  t.same(shown('flat'), [['/v1/orders/{found[*].tags[*]}', { perItemOf: 'found', atMost: 100 }]])
  t.same(shown('constant'), [['/v1/fixed', { perItemOf: 'found', atMost: 9 }]])
  t.same(shown('loop'), [
    ['/v1/orders/{found[*].id}', { perItemOf: 'found', atMost: 100 }],
    ['/v1/orders/{found[*].id}!', { perItemOf: 'found', atMost: 100 }],
  ])
  t.same(pathsOf(explanation, 'picked'), ['/v1/orders/{found[*].id}'])
  t.same(pathsOf(explanation, 'last'), ['/v1/orders/{found.at(-1).id}{found[2].id}{found[1].id}'])
})

test('equal calls are one entry with their number, and a long list shows its first five calls', async t => {
  const each = one()
    .each('equal', () => times(3, () => shop.fixed()))
    .each('long', () => times(40, index => shop.count({ n: index + 1 })))
    .reply(reply, () => 1)
  const explanation = await explained(each)
  t.match(callOf(explanation, 'equal'), { path: '/v1/fixed', times: 3 })
  const { calls, omittedCalls } = stepOf(explanation, 'long')
  t.same([calls.length, omittedCalls], [5, 35])
})

test('a chain shows its later calls with templates of the values before', async t => {
  const each = one()
    .each('items', ({ params }) => [
      chain(
        shop.order({ id: params.id }),
        order => shop.order({ id: (order as { readonly owner: string }).owner }),
        async (_, owner) => ({ id: (owner as { readonly name: string }).name }),
        (_order, _owner, { id }) => shop.order({ id }),
      ),
    ])
    .each('hanging', ({ params }) => times(3, () => chain(shop.order({ id: params.id }), () => new Promise(() => {}))))
    .each('broken', ({ params }) => [
      chain(shop.order({ id: params.id }), order => {
        throw new TypeError(`no ${String((order as { readonly secret: string }).secret)}`)
      }),
    ])
    .reply(reply, () => 1)
  const explanation = await explained(each, { params: { id: 'a' } })
  t.same(
    callOf(explanation, 'items').later?.map(({ path }) => path),
    ['/v1/orders/{shop.order.owner}', '/v1/orders/{shop.order#2.name}'],
  )
  t.match(stepOf(explanation, 'hanging').notes, ['cannot be shown: its function has not returned after 100 ms'])
  t.match(stepOf(explanation, 'broken').notes, [/^cannot be shown: its function failed: TypeError at test\/explain/])
})

test('the calls of ask are shown with templates of the answers before', async t => {
  const each = one()
    .required('it', async ({ params, ask }) => {
      const first = (await ask(shop.order({ id: params.id }))) as { readonly next: string }
      const second = (await ask(shop.order({ id: first.next }))) as { readonly next: string }
      return shop.order({ id: second.next })
    })
    .reply(reply, () => 1)
  t.same(pathsOf(await explained(each, { params: { id: 'a' } }), 'it'), [
    '/v1/orders/a',
    '/v1/orders/{shop.order.next}',
    '/v1/orders/{shop.order#2.next}',
  ])
})

test('a loop of ask over values that are not known ends at the limit of the step', async t => {
  const each = one()
    .required('it', async ({ ask }) => {
      for (let cursor: string | null = 'first'; cursor !== null;)
        cursor = (await ask(shop.page({ after: cursor }))).next
      return 1
    })
    .reply(reply, () => 1)
  const { calls, omittedCalls, notes } = stepOf(await explained(each), 'it')
  t.equal(calls.length, 5)
  t.equal(omittedCalls, 95)
  t.match(notes, ['asks more than 100 calls for values that are not known'])
})

test('a step that asks too many calls without awaiting them has one note', async t => {
  const each = one()
    .required('it', ({ ask }) => {
      for (let index = 0; index < 103; index++) void ask(shop.fixed())
      return 1
    })
    .reply(reply, () => 1)
  const { calls, notes } = stepOf(await explained(each), 'it')
  t.match(calls, [{ times: 100 }])
  t.same(notes, ['asks more than 100 calls for values that are not known'])
})

test('a synchronous loop over values that are not known ends', async t => {
  interface Node {
    readonly next: Node
  }
  const each = one()
    .required('node', () => shop.fixed())
    .required(
      'it',
      ({ node }) => {
        for (let at = node as Node; at; at = at.next);
        return 1
      },
      { needs: ['node'] },
    )
    .reply(reply, () => 1)
  t.match(stepOf(await explained(each), 'it').notes, [/RangeError/])
})

test('pages show the first page and their limit, and next is not called', async t => {
  const each = one()
    .pages('all', () => shop.page(), {
      next: () => t.fail('next was called') as never,
      maxPages: 4,
      onLoss: 'keep',
    })
    .reply(reply, () => 1)
  const { calls, notes, limits } = stepOf(await explained(each), 'all')
  t.match(calls, [{ path: '/v1/page', times: 1 }])
  t.same(notes, ['further pages by next(): at most 4 pages'])
  t.match(limits, [
    { name: 'maxPages', value: 4, from: 'declared' },
    { name: 'overflow' },
    { name: 'onLoss', value: 'keep' },
  ])
})

test('context(), the merge and onReply() are not called, and the context is a template', async t => {
  const fail = () => t.fail('the function was called') as never
  const each = aggregate('one', { url: '/one' })
    .context(async (): Promise<{ readonly user: string; readonly load: (id: string) => Promise<string> }> => fail())
    .required('it', async ({ context }) => shop.order({ id: `${context.user}-${await context.load('a')}` }))
    .reply(reply, fail)
    .onReply(fail)
  const explanation = await explained(each)
  t.same(pathsOf(explanation, 'it'), ['/v1/orders/{context.user}-{context.load()}'])
  t.match(stepOf(explanation, 'context'), { kind: 'context', calls: [], notes: [/^not run: /] })
})

test('an explanation opens no socket and starts no thread', async t => {
  const rank = offload<{ readonly rank: (words: readonly string[]) => { readonly first: string } }>(
    new URL('helpers/explained.ts', import.meta.url),
    'rank',
  )
  const each = one()
    .required('it', async () => shop.order({ id: (await rank(['a'])).first }))
    .reply(reply, () => 1)
  const before = process.getActiveResourcesInfo().sort()
  const explanation = await explained(each)
  t.same(pathsOf(explanation, 'it'), ['/v1/orders/{rank().first}'])
  t.same(process.getActiveResourcesInfo().sort(), before)
})

test('the end of a step that makes no call is in words', async t => {
  const each = one()
    .optional('skipped', () => skip, { fallback: null })
    .each('empty', () => [])
    .required('refused', (): number => refuse(404, 'no order'))
    .required('wrong', (): number => skip as never)
    .required('listed', (): number => [shop.fixed()] as never)
    .each('unlisted', () => shop.fixed() as never)
    .pages('unpaged', () => 7 as never, { next: () => null })
    .each('many', () => times(101, () => shop.fixed()))
    .required('refusedCall', () => shop.count({ n: 0 }))
    .required('bareCall', () => (shop.count as unknown as () => ReturnType<typeof shop.count>)())
    .required('unknown', ({ params }) => params.id)
    .reply(reply, () => 1)
  const explanation = await explained(each, {}, { showsMessages: true })
  const notes = (name: string) => stepOf(explanation, name).notes
  t.same(notes('skipped'), ['skipped for this input'])
  t.same(notes('empty'), ['makes no call'])
  t.same(notes('refused'), ['answers 404 for this input'])
  t.match(notes('wrong'), [/cannot skip: make it optional/])
  t.match(notes('listed'), [/returned several calls: use each or firstOf/])
  t.match(notes('unlisted'), [/must return a list of calls/])
  t.match(notes('unpaged'), [/must return a call/])
  t.match(notes('many'), [/fails with TOO_MANY_ITEMS: .*101 items/])
  t.match(notes('refusedCall'), [/fails with CALL_INPUT_INVALID: .*n: /])
  t.match(notes('bareCall'), [/fails with CALL_INPUT_INVALID: .*n: /])
  t.same(notes('unknown'), ['returns a value that is not known'])
  t.match(stepOf(await explained(each), 'refusedCall').notes, ['fails with CALL_INPUT_INVALID (shop.count)'])
})

test('a step that fails on a template has a note with the place, and later steps are shown', async t => {
  const each = one()
    .required('first', () => shop.fixed())
    .required('date', ({ first }) => shop.order({ id: new Date(String(first)).toISOString() }), { needs: ['first'] })
    .required('thrown', (): number => {
      throw 'a text'
    })
    .required('last', () => shop.fixed())
    .reply(reply, () => 1)
  const explanation = await explained(each)
  t.match(stepOf(explanation, 'date').notes, [
    /^cannot be shown: its function failed: RangeError at test\/explain\/explain.test.ts:\d+; it read {first}$/,
  ])
  t.match(stepOf(explanation, 'thrown').notes, ['cannot be shown: its function failed: an error'])
  t.same(pathsOf(explanation, 'last'), ['/v1/fixed'])
  const shown = await explained(each, {}, { showsMessages: true })
  t.match(stepOf(shown, 'date').notes, [/RangeError: Invalid time value at/], 'a message is shown only if it may be')
})

test('a step that does not return is left after 100 ms, its signal is aborted, and its late calls are ignored', async t => {
  let late: Promise<unknown> | undefined
  let failed: unknown
  const each = one()
    .required('it', async ({ signal, ask }) => {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      late = ask(shop.fixed())
      try {
        shop.order({ id: undefined as never })
      } catch (error) {
        failed = error
      }
      return new Promise(() => {})
    })
    .required('after', () => shop.fixed())
    .reply(reply, () => 1)
  const explanation = await explained(each)
  t.match(stepOf(explanation, 'it'), { calls: [], notes: [/has not returned after 100 ms/] })
  t.same(pathsOf(explanation, 'after'), ['/v1/fixed'])
  await until(() => failed !== undefined)
  t.match(failed, { code: 'CALL_INPUT_INVALID' })
  t.type(late, Promise)
})

test('the functions of all chains of a step share its 100 ms', async t => {
  let links = 0
  const slow = async (): Promise<number> => {
    links++
    await elapsed(60)
    return 1
  }
  const busy = (): number => {
    links++
    for (const startedAt = performance.now(); performance.now() - startedAt < 60;);
    return 1
  }
  const cases: readonly [link: () => number | Promise<number>, note: string][] = [
    [slow, 'cannot be shown: its function has not returned after 100 ms'],
    [busy, 'cannot be shown whole: its functions took more than 100 ms'],
  ]
  for (const [link, note] of cases) {
    links = 0
    const each = one()
      .each('items', () => times(20, () => chain(shop.fixed(), link)))
      .required('after', () => shop.fixed())
      .reply(reply, () => 1)
    const explanation = await explained(each)
    t.ok(links <= 2, `${links} of 20 functions ran`)
    t.same(stepOf(explanation, 'items').notes, [note])
    t.same(pathsOf(explanation, 'after'), ['/v1/fixed'])
  }
})

test('all steps together have one second', async t => {
  interface Loose {
    required(name: string, fn: () => unknown): Loose
    reply(schema: z.ZodType, merge: () => unknown): AnyAggregate
  }
  let builder = one() as never as Loose
  for (let index = 0; index < 12; index++) builder = builder.required(`s${index}`, () => new Promise(() => {}))
  const explanation = await explained(builder.reply(reply, () => 1))
  t.match(stepOf(explanation, 's11').notes, [/the steps before it took more than 1000 ms/])
  for (const { name, notes } of explanation.steps) t.match(notes, [/ \d+ ms$/], name)
})

test('a value that is not known passes each schema of a call, and other fields are read by theirs', async t => {
  const each = one()
    .required('found', () => shop.fixed())
    .required('number', ({ found }) => shop.count({ n: (found as { readonly n: number }).n }), { needs: ['found'] })
    .required('product', ({ found }) => shop.count({ n: Number(found) * 2 }), { needs: ['found'] })
    .required('digits', ({ found }) => shop.digits({ id: `0${(found as { readonly id: string }).id}` }), {
      needs: ['found'],
    })
    .required('whole', ({ found }) => shop.create(found as never), { needs: ['found'] })
    .required('wholeQuery', ({ found }) => shop.count(found as never), { needs: ['found'] })
    .required('spread', ({ found }) => shop.count({ ...(found as { readonly n: number }) }), { needs: ['found'] })
    .required('any', ({ found }) => shop.any({ a: found, b: 1, c: null }), { needs: ['found'] })
    .required(
      'posted',
      ({ found }) =>
        shop.create({ body: { sku: found as string, count: 1 }, headers: { 'x-tenant': (found as { t: string }).t } }),
      { needs: ['found'] },
    )
    .required('form', ({ found }) => shop.form({ body: { name: (found as { readonly a: string }).a } }), {
      needs: ['found'],
    })
    .required('keyed', ({ found }) => shop.prices((found as { readonly id: string }).id), { needs: ['found'] })
    .reply(reply, () => 1)
  const explanation = await explained(each)
  t.same(pathsOf(explanation, 'number'), ['/v1/count?n={found.n}'])
  t.same(pathsOf(explanation, 'product'), ['/v1/count?n={a number}'])
  t.same(pathsOf(explanation, 'wholeQuery'), ['/v1/count?n={found.n}'], 'an input that is not known as a whole')
  t.match(callOf(explanation, 'whole'), { path: '/v1/orders', body: 'json' })
  t.same(stepOf(explanation, 'spread').notes, ['fails with CALL_INPUT_INVALID (shop.count); it read {found}'])
  t.same(pathsOf(explanation, 'digits'), ['/v1/digits/0{found.id}'], 'a text with such a value passes too')
  t.same(pathsOf(explanation, 'any'), ['/v1/any?a={found}&b=1'])
  t.match(callOf(explanation, 'posted'), { path: '/v1/orders', body: 'json', method: 'POST' })
  t.same(
    callOf(explanation, 'posted').headers.filter(({ from }) => from !== 'default'),
    [
      { name: 'content-type', from: 'body' },
      { name: 'idempotency-key', from: 'idempotencyKey' },
      { name: 'x-tenant', from: 'call' },
    ],
  )
  t.match(callOf(explanation, 'form'), { body: 'multipart', headers: [{}, {}, { name: 'content-type' }, {}] })
  t.match(callOf(explanation, 'keyed'), {
    path: '/v1/prices?ids={found.id}',
    notes: ['the calls of one run share a request for up to 20 keys'],
  })
})

test('a note names the values that a function read and did not send', async t => {
  const each = one()
    .required('found', () => shop.fixed())
    .required(
      'it',
      ({ found }) => {
        const { kind, id } = found as { readonly kind: string; readonly id: string }
        return `${kind}` === 'a' ? shop.fixed() : shop.order({ id })
      },
      { needs: ['found'] },
    )
    .required('has', ({ found }) => ('a' in (found as object) ? shop.fixed() : shop.order({ id: 'b' })), {
      needs: ['found'],
    })
    .required('sent', ({ found }) => shop.order({ id: (found as { readonly id: string }).id }), { needs: ['found'] })
    .reply(reply, () => 1)
  const explanation = await explained(each)
  t.same(stepOf(explanation, 'it').notes, ['may differ: the function also read {found.kind}'])
  t.same(stepOf(explanation, 'has').notes, ['may differ: the function also read {found}'])
  t.same(stepOf(explanation, 'sent').notes, [])
})

test('a field of a value that a call has needs no note, and the note of many values has the first three', async t => {
  const items = (found: unknown) => found as readonly Record<string, string>[]
  const each = one()
    .required('found', () => shop.fixed())
    .required(
      'part',
      ({ found }) => {
        const { owner } = found as { readonly owner: { readonly name: string } }
        return `${owner.name}` === 'a' ? shop.fixed() : shop.order({ id: owner as never })
      },
      { needs: ['found'] },
    )
    .required(
      'near',
      ({ found }) => {
        const { kinds, kind } = found as { readonly kinds: string; readonly kind: string }
        return `${kinds}` === 'a' ? shop.fixed() : shop.order({ id: kind })
      },
      { needs: ['found'] },
    )
    .required(
      'many',
      ({ found }) => {
        for (let index = 0; index < 2_000; index++) if (`${items(found)[index]?.['kind']}` === 'a') break
        return shop.fixed()
      },
      { needs: ['found'] },
    )
    .reply(reply, () => 1)
  const explanation = await explained(each)
  t.same(stepOf(explanation, 'part').notes, [])
  t.same(stepOf(explanation, 'near').notes, ['may differ: the function also read {found.kinds}'], 'a longer name')
  t.same(stepOf(explanation, 'many').notes, [
    'may differ: the function also read {found[0].kind}, {found[1].kind}, {found[2].kind}',
  ])
})

test('a stream of a body is closed, whether its call is shown or refused', async t => {
  const file = createReadStream(import.meta.filename)
  const refused = new Readable({ read() {} })
  const each = one()
    .required('sent', () => shop.upload({ body: file }))
    .required('asked', async ({ ask }) => ask(shop.upload({ body: Readable.from([]) })))
    .required('refused', () => shop.upload({ body: { stream: refused, size: -1 } }))
    .reply(reply, () => 1)
  const explanation = await explained(each)
  t.match(callOf(explanation, 'sent'), {
    body: 'bytes',
    notes: [/it may change something/, /a retry follows only if it was not sent: its body is a stream/],
  })
  t.match(stepOf(explanation, 'refused').notes, [/cannot be shown/])
  await until(() => file.destroyed && refused.destroyed)
})

test('one custom layer is named in a note', async t => {
  const layered = defineUpstream(
    'layered',
    { origin: 'https://a.example', layers: { call: [next => next] } },
    {
      get: operation({ path: '/', output: z.unknown() }),
    },
  )
  const each = one()
    .required('it', () => layered.get())
    .reply(reply, () => 1)
  t.same(callOf(await explained(each), 'it').notes, ['1 custom layer may change its headers'])
})

test('notes of a call name what changes it later', async t => {
  const odd = defineUpstream(
    'odd',
    {
      origin: 'https://odd.example',
      redirects: 2,
      proxy: true,
      layers: { call: [next => next], attempt: [next => next] },
    },
    {
      cached: operation({ path: '/', output: z.unknown(), cache: { ttl: 1000, staleIfError: 5 } }),
      post: operation({ method: 'POST', path: '/', output: z.unknown() }),
    },
  )
  const each = one()
    .required('cached', () => odd.cached())
    .required('post', () => odd.post())
    .reply(reply, () => 1)
  const explanation = await explained(each, {}, { overrides: { odd: { off: true } }, variableOf: () => 'ODD_OFF' })
  t.same(callOf(explanation, 'cached').notes, [
    '2 custom layers may change its headers',
    'it may follow up to 2 redirects within its origin',
    'cache.ttl is 1000 ms',
    'cache.staleIfError is 5 ms',
  ])
  t.match(
    callOf(explanation, 'post').notes.at(-1),
    'a retry follows only if it was not sent: POST without idempotencyKey',
  )
  t.same(explanation.upstreams['odd']?.notes, [
    'off: every call fails with UPSTREAM_OFF (ODD_OFF)',
    'its calls may go through a proxy',
  ])
})
