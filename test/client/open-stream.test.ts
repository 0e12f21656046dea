import { once } from 'node:events'
import { test } from 'tap'
import {
  openStream,
  StreamCut,
  StreamProblem,
  type EventStream,
  type ReceivedEvent,
  type StreamRequest,
} from '../../src/client/index.ts'
import { failure } from '../helpers/failure.ts'
import { beginStream, linesOf, streamingServer, type StreamScript } from '../helpers/streaming-server.ts'

const plan = { event: 'plan', run: 'r', deadline: 800, steps: [{ name: 'meow' }] }
const snapshot = { event: 'snapshot', data: { text: 'é' }, complete: false, pending: ['meow'] }
const reply = { event: 'reply', status: 200, headers: { 'x-a': 'b' }, body: { data: { text: 'é' }, complete: true } }
const notFound = { type: 'urn:t', title: 'Not found', status: 404, detail: 'There is no cat.', code: 'REFUSED' }

const whole: StreamScript = response => beginStream(response, plan, snapshot, reply).end()
/** Sends the plan, and cuts the connection when the plan has left. */
const cut: StreamScript = response => beginStream(response, plan).write(' ', () => response.destroy())
/** Ends the body without a last event, as a proxy does that hides a cut. */
const short: StreamScript = response => beginStream(response, plan).end('{"event":"rep')

/** The events of a stream, their names, and the error at its end. */
async function read(stream: EventStream<unknown, unknown>) {
  const events: ReceivedEvent<unknown, unknown>[] = []
  const names: string[] = []
  try {
    for await (const event of stream) {
      events.push(event)
      names.push(event.event)
    }
    return { events, names, error: undefined }
  } catch (error: unknown) {
    return { events, names, error }
  }
}

const soon: StreamRequest = { retryDelay: 1 }

test('a stream is iterated event by event, and its reply is the last event', async t => {
  const { origin, requests } = await streamingServer(t, whole)
  const stream = openStream<{ text: string }>(`${origin}/cats?a=1`, { headers: { authorization: 'Bearer k' } })
  t.same((await read(stream)).events, [plan, snapshot, reply])
  const { status, headers, body } = await stream.reply
  t.same([status, headers['x-a'], body.data.text], [200, 'b', 'é'])
  t.match(requests, [
    {
      method: 'GET',
      url: '/cats?a=1',
      headers: { accept: 'application/x-ndjson, application/json;q=0.5', authorization: 'Bearer k' },
    },
  ])
})

test('an event arrives while the stream is open', async t => {
  const { origin, requests } = await streamingServer(t, response => beginStream(response, plan))
  for await (const event of openStream(origin)) {
    t.same(event, plan)
    break
  }
  await requests[0]?.closed
})

test('leaving the loop closes the connection, and the reply rejects', async t => {
  const { origin, requests } = await streamingServer(t, response => beginStream(response, plan, snapshot))
  const stream = openStream(origin)
  for await (const { event } of stream) if (event === 'snapshot') break
  await requests[0]?.closed
  t.match(await failure(stream.reply), { name: 'AbortError', message: 'the stream was left before its last event' })
})

test('a loop that ends with the last event leaves the connection to the next request', async t => {
  const ports = new Set<number | undefined>()
  const { origin } = await streamingServer(t, (response, request) => {
    ports.add(response.socket?.remotePort)
    return whole(response, request)
  })
  for (let request = 0; request < 40; request++)
    for await (const { event } of openStream(origin)) if (event === 'reply') break
  // The next request may be sent before the end of the body has been read.
  t.ok(ports.size < 20, `${ports.size} connections for 40 requests`)
})

test('the reply is read without a loop', async t => {
  const { origin } = await streamingServer(t, whole)
  t.same(await openStream(origin).reply, reply)
})

test('a reply that is awaited beside a loop takes no event from it', async t => {
  const { origin } = await streamingServer(t, whole)
  const stream = openStream(origin)
  const last = stream.reply
  t.same((await read(stream)).names, ['plan', 'snapshot', 'reply'])
  t.same(await last, reply)
})

test('a second loop over the same stream is refused', async t => {
  const { origin } = await streamingServer(t, whole)
  const stream = openStream(origin)
  await read(stream)
  t.match(await read(stream), {
    error: new TypeError('the stream has been read, or a loop reads it: open another stream'),
  })
})

for (const [name, type] of [
  ['application/json', 'application/json; charset=utf-8'],
  ['another type of JSON', 'application/vnd.cats+json'],
] as const)
  test(`a plain answer of ${name} is one event, the reply`, async t => {
    const { origin } = await streamingServer(t, response =>
      response.writeHead(201, { 'content-type': type, 'x-a': 'b' }).end(JSON.stringify(reply.body)),
    )
    const stream = openStream<{ text: string }>(origin)
    t.match((await read(stream)).events, [
      { event: 'reply', status: 201, headers: { 'content-type': type, 'x-a': 'b' }, body: reply.body },
    ])
    t.equal((await stream.reply).body.data.text, 'é')
  })

test('an answer without a body is a reply whose body is null', async t => {
  const { origin } = await streamingServer(t, response => response.writeHead(204).end())
  t.match(await openStream<unknown, null>(origin).reply, { status: 204, body: null })
})

test('an answer that is neither a stream nor JSON is refused with its type', async t => {
  const { origin, requests } = await streamingServer(t, response =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Log in'),
  )
  const error = await failure(openStream(origin, soon).reply)
  t.type(error, TypeError)
  t.match(error, { message: /the answer must be application\/x-ndjson or JSON, got text\/html: check the URL/ })
  t.equal(requests.length, 1)
})

test('a status from 400 throws the problem of the answer, and is not repeated', async t => {
  const { origin, requests } = await streamingServer(t, response =>
    response
      .writeHead(404, { 'content-type': 'application/problem+json', 'retry-after': '3' })
      .end(JSON.stringify(notFound)),
  )
  const stream = openStream(origin, soon)
  const { error } = await read(stream)
  t.ok(error instanceof StreamProblem)
  t.match(error, {
    name: 'StreamProblem',
    message: '404 Not found: There is no cat.',
    status: 404,
    retryAfter: 3,
    problem: notFound,
  })
  t.equal(await failure(stream.reply), error)
  t.equal(requests.length, 1)
})

test('a status from 400 without JSON throws a problem without a body', async t => {
  const { origin } = await streamingServer(t, response =>
    response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway'),
  )
  t.match(await failure(openStream(origin).reply), {
    name: 'StreamProblem',
    message: 'the answer has the status 502',
    problem: undefined,
    retryAfter: undefined,
  })
})

test('a status from 400 with an empty body throws a problem without a body, whatever its type is', async t => {
  const { origin } = await streamingServer(t, response =>
    response.writeHead(401, { 'content-type': 'application/json' }).end(),
  )
  t.match(await failure(openStream(origin).reply), {
    name: 'StreamProblem',
    message: 'the answer has the status 401',
    problem: undefined,
  })
})

test('the event problem throws the problem, with its status and headers, after the events before it', async t => {
  const problem = { event: 'problem', status: 503, headers: { 'retry-after': '7' }, body: { ...notFound, status: 503 } }
  const { origin, requests } = await streamingServer(t, response => beginStream(response, plan, problem).end())
  const { names, error } = await read(openStream(origin, soon))
  t.same(names, ['plan'])
  t.match(error, { name: 'StreamProblem', status: 503, retryAfter: 7, problem: problem.body })
  t.equal(requests.length, 1)
})

for (const [how, script] of [
  ['whose connection is cut', cut],
  ['that ends without its last event', short],
] as const) {
  test(`a GET ${how} is repeated once, with a new plan`, async t => {
    const { origin, requests } = await streamingServer(t, script, whole)
    const stream = openStream(origin, soon)
    t.same((await read(stream)).names, ['plan', 'plan', 'snapshot', 'reply'])
    t.equal(requests.length, 2)
    t.same(await stream.reply, reply)
  })

  test(`a GET ${how} twice rejects`, async t => {
    const { origin, requests } = await streamingServer(t, script)
    const stream = openStream(origin, soon)
    const { error } = await read(stream)
    t.ok(error instanceof StreamCut)
    t.match(error, { name: 'StreamCut', message: /before (?:the|its) last event$/ })
    t.equal(await failure(stream.reply), error)
    t.equal(requests.length, 2)
  })

  test(`a POST ${how} is not repeated`, async t => {
    const { origin, requests } = await streamingServer(t, script)
    t.match((await read(openStream(origin, { ...soon, method: 'POST', body: '{}' }))).error, { name: 'StreamCut' })
    t.equal(requests.length, 1)
  })
}

test('a QUERY with a body is repeated with its body', async t => {
  const { origin, requests } = await streamingServer(t, cut, whole)
  await openStream(origin, { ...soon, method: 'QUERY', body: '{"calls":[]}' }).reply
  t.match(requests, [
    { method: 'QUERY', body: '{"calls":[]}', headers: { 'content-type': 'application/json' } },
    { method: 'QUERY', body: '{"calls":[]}' },
  ])
})

test('the option retries decides for any method', async t => {
  const never = await streamingServer(t, cut)
  t.match((await read(openStream(never.origin, { ...soon, retries: 0 }))).error, { name: 'StreamCut' })
  t.equal(never.requests.length, 1)
  const twice = await streamingServer(t, cut, cut, whole)
  await openStream(twice.origin, { ...soon, method: 'PUT', retries: 2 }).reply
  t.equal(twice.requests.length, 3)
})

test('a service that cannot be reached is a cut stream with its cause', async t => {
  const error = (await failure(openStream('http://127.0.0.1:1/', soon).reply)) as StreamCut
  t.match(error, { name: 'StreamCut', message: 'http://127.0.0.1:1/: the connection failed before the last event' })
  t.type(error.cause, TypeError)
})

test('a request is repeated after half to one and a half of the delay', async t => {
  const at: number[] = []
  const { origin } = await streamingServer(t, (response, request) => {
    at.push(performance.now())
    return cut(response, request)
  })
  await failure(openStream(origin, { retryDelay: 100 }).reply)
  const [first = 0, second = 0] = at
  t.ok(second - first >= 49, `${second - first} ms`)
})

const halves: readonly (readonly [when: string, script: StreamScript])[] = [
  ['before the answer', () => {}],
  ['between two events', response => beginStream(response, plan)],
]
for (const [when, script] of halves)
  test(`an abort ${when} closes the connection and rejects with the reason`, async t => {
    const caller = new AbortController()
    const { origin, requests } = await streamingServer(t, (response, request) => {
      void script(response, request)
      setImmediate(() => caller.abort('enough'))
    })
    const stream = openStream(origin, { signal: caller.signal, retries: 5 })
    t.equal((await read(stream)).error, 'enough')
    t.equal(await failure(stream.reply), 'enough')
    await requests[0]?.closed
    t.equal(requests.length, 1)
  })

test('an abort during the pause before a repeated request ends the stream', async t => {
  const caller = new AbortController()
  const { origin, requests } = await streamingServer(t, response => {
    response.destroy()
    setImmediate(() => caller.abort('enough'))
  })
  t.equal((await read(openStream(origin, { signal: caller.signal, retryDelay: 60_000 }))).error, 'enough')
  t.equal(requests.length, 1)
})

test('a signal that is already aborted sends nothing', async t => {
  const { origin, requests } = await streamingServer(t, whole)
  t.equal((await read(openStream(origin, { signal: AbortSignal.abort('late') }))).error, 'late')
  t.equal(requests.length, 0)
})

test('a line that is not JSON rejects and is not repeated', async t => {
  const { origin, requests } = await streamingServer(t, response => beginStream(response, plan).end('<p>\n'))
  t.type((await read(openStream(origin, soon))).error, SyntaxError)
  t.equal(requests.length, 1)
  await requests[0]?.closed
})

test('an empty line is skipped, and an unknown event is passed on', async t => {
  const news = { event: 'news', text: 'later' }
  const { origin } = await streamingServer(t, response => beginStream(response, plan).end(`\n${linesOf(news, reply)}`))
  t.same((await read(openStream(origin))).names, ['plan', 'news', 'reply'])
})

test('a wrong URL and a wrong method throw at once', t => {
  t.throws(() => openStream('/cats'), TypeError)
  t.throws(() => openStream('http://127.0.0.1/', { method: 'G ET' }), TypeError)
  t.end()
})

test('another function sends the request', async t => {
  const { origin, requests } = await streamingServer(t, whole)
  const mine: typeof fetch = (path, init) => fetch(origin + (path as string), init)
  t.same(await openStream('/cats', { fetch: mine }).reply, reply)
  t.equal(requests[0]?.url, '/cats')
})

test('a body that is a form keeps its own type', async t => {
  const { origin, requests } = await streamingServer(t, whole)
  await openStream(origin, { method: 'POST', body: new URLSearchParams({ a: '1' }) }).reply
  await openStream(origin, { method: 'POST', body: '<a/>', headers: { 'Content-Type': 'text/xml' } }).reply
  t.match(requests, [
    { body: 'a=1', headers: { 'content-type': /^application\/x-www-form-urlencoded/ } },
    { body: '<a/>', headers: { 'content-type': 'text/xml' } },
  ])
})

test('a reply that is not awaited does not end the process', async t => {
  const { origin } = await streamingServer(t, cut)
  const unhandled: unknown[] = []
  const listener = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', listener)
  t.teardown(() => process.off('unhandledRejection', listener))
  await read(openStream(origin, soon))
  void openStream(origin, { ...soon, retries: 0 }).reply
  await once(AbortSignal.timeout(50), 'abort')
  t.same(unhandled, [])
})
