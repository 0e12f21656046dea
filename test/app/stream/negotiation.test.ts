import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse } from '../../../src/fanout/aggregate.ts'
import { readEventId } from '../../../src/http/stream/event-id.ts'
import { isProblem, type ProblemBody } from '../../helpers/problem.ts'
import { serve } from './helpers/serve.ts'
import { streamed } from './helpers/streamed.ts'

const Any = z.unknown()
const sse = { accept: 'text/event-stream' }

/** Counts the runs of an aggregate by its context and its steps. */
function counted(stream?: boolean) {
  const seen = { contexts: 0, steps: 0 }
  const described = aggregate('one', {
    url: '/one',
    cacheControl: 'max-age=60',
    ...(stream !== undefined && { stream }),
  })
    .context(() => {
      seen.contexts++
      return {}
    })
    .required('step', () => ++seen.steps)
    .reply(Any, () => 'data')
  return { described, seen }
}

test('the accept header decides between a reply in one piece and a stream', async t => {
  const { described } = counted()
  const { ask, origin } = await serve(t, [described])
  for (const [accept, type] of [
    ['*/*', 'application/json; charset=utf-8'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/json; charset=utf-8'],
    ['application/x-ndjson', 'application/x-ndjson'],
    ['application/jsonl', 'application/jsonl'],
    ['text/event-stream', 'text/event-stream'],
    ['application/x-ndjson, application/json;q=0.5', 'application/x-ndjson'],
    ['application/x-ndjson;q=0.5, application/json', 'application/json; charset=utf-8'],
  ] as const) {
    const response = await fetch(`${origin}/one`, { headers: { accept } })
    t.equal(response.status, 200, accept)
    t.equal(response.headers.get('content-type'), type, accept)
    await response.text()
  }
  isProblem(t, await ask<ProblemBody>('/one', { headers: { accept: 'text/html' } }), 406, 'NOT_ACCEPTABLE')
})

test('an aggregate with stream: false has no stream', async t => {
  const { described, seen } = counted(false)
  const { ask } = await serve(t, [described])
  for (const accept of ['application/x-ndjson', 'text/event-stream', 'application/jsonl'])
    isProblem(t, await ask<ProblemBody>('/one', { headers: { accept } }), 406, 'NOT_ACCEPTABLE')
  t.equal(seen.contexts, 0)
  const { headers } = await ask('/one', { headers: { accept: 'application/x-ndjson, application/json;q=0.1' } })
  t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
})

test('server-sent events have the same JSON as lines, and an id with the run and the end', async t => {
  const { described } = counted()
  const { ask } = await serve(t, [described])
  const { text: body } = await ask('/one', { headers: sse })
  const [retry, ...frames] = body.split('\n\n').slice(0, -1)
  t.equal(retry, 'retry: 1000')
  const events = frames.map(frame => {
    const [id = '', event = '', data = '', ...more] = frame.split('\n')
    t.same(more, [])
    return { id: id.slice('id: '.length), event: event.slice('event: '.length), data: data.slice('data: '.length) }
  })
  for (const { event, data } of events) t.equal((JSON.parse(data) as { readonly event: string }).event, event)
  const { run } = JSON.parse(events[0]?.data ?? '') as { readonly run: string }
  t.equal(events.at(-1)?.event, 'reply')
  for (const [index, { id }] of events.entries())
    t.equal(id, `${run}.1.${index === events.length - 1 ? 'end' : index + 1}`)
})

test('a browser that reconnects after the end of a stream gets 204, and no run', async t => {
  const { described, seen } = counted()
  const failing = aggregate('failing', { url: '/failing' })
    .required('step', (): unknown => {
      seen.steps++
      return refuse(404, 'No.')
    })
    .reply(Any, () => 1)
  const { ask } = await serve(t, [described, failing])
  for (const path of ['/one', '/failing']) {
    const before = { ...seen }
    const { text: body } = await ask(path, { headers: sse })
    const last = /id: (\S+\.end)\n/.exec(body)?.[1] as string
    const again = await ask(path, { headers: { ...sse, 'last-event-id': last } })
    t.match(again, { status: 204, text: '' })
    t.equal(again.headers.get('cache-control'), 'no-store')
    t.equal(seen.steps, before.steps + 1)
  }
})

test('a stream that was cut is repeated once', async t => {
  const { described, seen } = counted()
  const { ask } = await serve(t, [described])
  const first = await ask('/one', { headers: sse })
  const [id = ''] = /(?<=id: )\S+\.1\.1(?=\n)/.exec(first.text) ?? []
  const second = await ask('/one', { headers: { ...sse, 'last-event-id': id } })
  const [other = ''] = /(?<=id: )\S+\.2\.1(?=\n)/.exec(second.text) ?? []
  t.equal(readEventId(other)?.run, readEventId(id)?.run)
  t.notMatch(second.text, new RegExp(`"run":"${readEventId(id)?.run}"`), 'the run is a new one')
  t.equal(seen.steps, 2)
  t.equal((await ask('/one', { headers: { ...sse, 'last-event-id': other } })).status, 204)
  t.equal(seen.steps, 2)
  for (const foreign of ['7', 'a.b.c', `${id}0`.repeat(3)])
    t.match((await ask('/one', { headers: { ...sse, 'last-event-id': foreign } })).text, /id: \S+\.1\.1\n/)
})

test('lines and other methods than GET ignore last-event-id', async t => {
  const { described } = counted()
  const posted = aggregate('posted', { url: '/posted', method: 'POST' }).reply(Any, () => 1)
  const { ask, origin } = await serve(t, [described, posted])
  const { text: body } = await ask('/one', { headers: sse })
  const headers = { 'last-event-id': /id: (\S+\.end)\n/.exec(body)?.[1] as string }
  t.equal((await streamed(`${origin}/one`, { headers })).status, 200)
  t.equal((await ask('/one', { headers })).status, 200)
  t.match(await ask('/posted', { method: 'POST', headers: { ...sse, ...headers } }), {
    status: 200,
    text: /event: reply/,
  })
})

test('a stream ignores if-none-match', async t => {
  const { described } = counted()
  const { ask, origin } = await serve(t, [described])
  const tag = (await ask('/one')).headers.get('etag') as string
  t.equal((await ask('/one', { headers: { 'if-none-match': tag } })).status, 304)
  const got = await streamed(`${origin}/one`, { headers: { 'if-none-match': tag } })
  t.equal(got.status, 200)
  t.equal(got.headers.get('etag'), null)
  t.match(got.events.at(-1), { event: 'reply', status: 200, headers: { etag: tag } })
})

test('HEAD sends the head of a stream without a body, and starts no step', async t => {
  const { described, seen } = counted()
  const { port, ask } = await serve(t, [described])
  const caller = connect(port, '127.0.0.1')
  await once(caller, 'connect')
  const head = 'HEAD /one HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n'
  caller.end(`${head}\r\n${head}connection: close\r\n\r\n`)
  const answers = await text(caller)
  t.equal(answers.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, 2, 'the connection is used again')
  t.match(answers, /content-type: application\/x-ndjson\r\ncache-control: no-store, no-transform\r\n/)
  t.ok(answers.endsWith('\r\n\r\n'), 'no body')
  t.same(seen, { contexts: 2, steps: 0 })
  const refused = aggregate('wrong', { url: '/wrong', query: z.object({ a: z.string() }) }).reply(Any, () => 1)
  const other = await serve(t, [refused])
  t.equal((await other.ask('/wrong', { method: 'HEAD', headers: sse })).status, 400)
  t.equal((await ask('/one', { method: 'HEAD' })).headers.get('content-type'), 'application/json; charset=utf-8')
})
