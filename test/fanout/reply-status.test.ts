import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { ReplyExtras } from '../../src/fanout/on-reply.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { problemOf } from '../helpers/problem-of.ts'

const runtime = answeringRuntime(path => path)
const Id = z.object({ id: z.string() })
const base = aggregate('orders', { url: '/orders', method: 'POST' })

test('reply() declares the statuses, and onReply() may return another one of them', async t => {
  const created = base.reply(Id, () => ({ id: 'a' }), { status: [201, 200] })
  t.same(created.statuses, [201, 200])
  t.match(await fanOut(created, {}, { runtime }), { data: { id: 'a' }, status: 201 })
  const known = created.onReply(() => ({ status: 200, headers: { location: '/orders/a' } }))
  const reply = await fanOut(known, {}, { runtime })
  t.same(reply, { data: { id: 'a' }, complete: true, sources: {}, headers: { location: '/orders/a' } })
  const silent = created.onReply(() => undefined)
  t.equal((await fanOut(silent, {}, { runtime })).status, 201)
  t.same(base.reply(Id, () => ({ id: 'a' })).statuses, [200])
  const none = base.reply(z.null(), () => null, { status: 204 })
  t.match(await fanOut(none, {}, { runtime }), { data: null, status: 204 })
})

test('a status that a reply cannot have is refused at declaration', async t => {
  const list = '200, 201, 202, 203, 204, 207, 208, 226'
  for (const [status, message] of [
    [205, `the status of reply() must be one of ${list}, got 205`],
    [206, `the status of reply() must be one of ${list}, got 206`],
    [404, `the status of reply() must be one of ${list}, got 404: call refuse() for an error`],
    ['201', `the status of reply() must be one of ${list}, got a string`],
    [[], `the status of reply() is an empty list: write at least one of ${list}`],
    [[200, 302], `the status of reply() must be one of ${list}, got 302`],
    [
      204,
      "a reply with the status 204 has no body, and its schema is of the type 'object': " +
        'write reply(z.null(), () => null, { status: 204 })',
    ],
  ] as const)
    t.throws(() => base.reply(Id, () => ({ id: 'a' }), { status: status as never }), {
      message: `aggregate 'orders': ${message}`,
    })
  t.throws(() => base.reply(Id, () => ({ id: 'a' }), { code: 201 } as never), {
    message: "aggregate 'orders', reply(): unknown option 'code': use status, snapshot",
  })
  const cached = aggregate('cached', { url: '/cached', cacheControl: 'max-age=60' })
  t.throws(() => cached.reply(Id, () => ({ id: 'a' }), { status: 203 }), {
    message:
      "aggregate 'cached': cacheControl requires a reply with the status 200, got 203: remove cacheControl or the status",
  })
})

test('a wrong status, location or cache-control of onReply() is a bug that is named', async t => {
  const get = aggregate('page', { url: '/page' })
  const own = aggregate('own', { url: '/own', cacheControl: 'private, max-age=60' })
  const list = '200, 201, 202, 203, 204, 207, 208, 226'
  for (const [described, extras, message] of [
    [base, { status: 404 as never }, `a status that a reply cannot have: it must be one of ${list}, got 404: call`],
    [base, { status: '201' as never }, `a status that a reply cannot have: it must be one of ${list}, got a string`],
    [base, { status: 204 }, 'the status 204, which has no body, and the data is not null: merge null for it'],
    [base, { headers: { location: 'https://a.example/ä' } }, "a URI does not contain 'ä': encode each part"],
    [base, { headers: { location: '/a b' } }, "the header 'location': a URI does not contain ' '"],
    [base, { headers: { location: '/a{b' } }, "the header 'location': a URI does not contain '{'"],
    [base, { headers: { location: '' } }, "the header 'location': it is empty: write a URL or a path"],
    [base, { headers: { location: 'http://' } }, "the header 'location': it is not a URI: write a URL or a path"],
    [base, { headers: { location: ['/a'] } }, "the header 'location': it must be one string, got a list"],
    [base, { headers: { 'cache-control': ' ' } }, "the header 'cache-control': it is empty: write a directive"],
    [base, { headers: { 'cache-control': ['no-store'] } }, "'cache-control': it must be one string, got a list"],
    [base, { headers: { 'cache-control': 'max-age=9' } }, 'and the aggregate is POST: write private or no-store'],
    [get, { headers: { 'cache-control': 'max-age=9' } }, 'and the cacheControl of the aggregate is not set: declare'],
    [get, { headers: { 'cache-control': 'private' } }, 'and the aggregate declares no cacheControl: declare one'],
    [own, { headers: { 'cache-control': 'public' } }, 'the cacheControl of the aggregate does not allow that: declare'],
  ] as const) {
    const broken = described.reply(Id, () => ({ id: 'a' }), { status: [200, 204] }).onReply((): ReplyExtras => extras)
    const problem = await problemOf(fanOut(broken, {}, { runtime }))
    t.match(problem, { code: 'INTERNAL', cause: TypeError })
    const { message: text } = problem.cause as TypeError
    t.ok(text.includes('onReply() returned') && text.includes(message), text)
  }
})

test('onReply() returns only statuses that reply() declares, also if that is the default alone', async t => {
  for (const [status, returned, fix] of [
    [undefined, 202, '[200, 202]'],
    [201, 200, '[201, 200]'],
    [[201, 202], 203, '[201, 202, 203]'],
    [200, 204, '[200, 204]'],
  ] as const) {
    const described = base
      .reply(Id.nullable(), () => null, { ...(status !== undefined && { status }) })
      .onReply(() => ({ status: returned }))
    const problem = await problemOf(fanOut(described, {}, { runtime }))
    t.match(problem, { code: 'INTERNAL', cause: TypeError })
    t.equal(
      (problem.cause as TypeError).message,
      `aggregate 'orders': onReply() returned the status ${returned}, which reply() does not declare: ` +
        `add it to the status list of reply(), { status: ${fix} }`,
    )
  }
})

test('a cache-control of onReply() that is not more open than the declared one is taken', async t => {
  for (const [declared, value] of [
    [{ url: '/a' }, 'no-store, max-age=0'],
    [{ url: '/a', method: 'POST' }, 'private, max-age=60'],
    [{ url: '/a', cacheControl: 'private' }, 'private, max-age=9'],
    [{ url: '/a', cacheControl: 'max-age=60' }, 'public, max-age=600'],
    [{ url: '/a', cacheControl: 'max-age=60' }, 'no-cache'],
  ] as const) {
    const described = aggregate('taken', declared)
      .reply(Id, () => ({ id: 'a' }))
      .onReply(() => ({ headers: { 'Cache-Control': value } }))
    t.same((await fanOut(described, {}, { runtime })).headers, { 'cache-control': value })
  }
})

test('wrong problems and sources are refused at declaration', async t => {
  const declare = (options: object) => () => aggregate('declared', { url: '/a', ...options })
  for (const [options, message] of [
    [{ sources: 'some' }, "sources must be 'full', 'states' or 'none', got 'some'"],
    [{ problems: 7 }, "problems must be an object such as { 404: 'There is no such order.' }, got a number"],
    [{ problems: { 200: 'x' } }, "problems has the key '200', which is not a status from 400 to 599"],
    [{ problems: { '4xx': 'x' } }, "problems has the key '4xx', which is not a status from 400 to 599"],
    [{ problems: { '4e2': 'x' } }, "problems has the key '4e2', which is not a status from 400 to 599"],
    [{ problems: { ' 404 ': 'x' } }, "problems has the key ' 404 ', which is not a status from 400 to 599"],
    [{ problems: { '0x194': 'x' } }, "problems has the key '0x194', which is not a status from 400 to 599"],
    [{ problems: { 404.5: 'x' } }, "problems has the key '404.5', which is not a status from 400 to 599"],
    [{ problems: { 404: '' } }, 'problems[404] must be a sentence or a zod schema, got an empty string'],
    [{ problems: { 404: 7 } }, 'problems[404] must be a sentence or a zod schema, got a number'],
    [{ problems: { 404: null } }, 'problems[404] must be a sentence or a zod schema, got null'],
    [{ problems: { 404: {} } }, 'its problems[404] schema is not a zod 4 schema'],
  ] as const) {
    let text = 'nothing is thrown'
    try {
      declare(options)()
    } catch (error) {
      text = (error as Error).message
    }
    t.ok(text.startsWith("aggregate 'declared': ") && text.includes(message), text)
  }
})
