import { test } from 'tap'
import { z } from 'zod'
import { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, operation, specOf, type Operation } from '../../src/upstream/declare.ts'
import type { OperationOptions } from '../../src/upstream/spec/operation-options.ts'

const ask = operation({ path: '/ask', output: z.unknown() })
const origin = 'https://cats.example'

/** What the types refuse too, and JavaScript does not. */
const untyped = (options: object) =>
  options as OperationOptions<'/a', z.ZodType, undefined, undefined, undefined, undefined, object, undefined> & {
    readonly output: z.ZodType
  }
const define = (options: object, name = 'cats') => defineUpstream(name, { origin, ...options }, { ask })
const declare = (options: object) =>
  defineUpstream('cats', { origin }, { ask: operation(untyped({ path: '/a', output: z.unknown(), ...options })) })

test('a declaration is checked, filled with its defaults, and cannot be changed', t => {
  const declared = define({})
  t.same(specOf(declared), {
    name: 'cats',
    origin,
    origins: undefined,
    balance: {
      ejection: { consecutiveFailures: 5, latencyRatio: 5, duration: 5000, maxDuration: 60_000, maxRatio: 0.5 },
      healthCheck: undefined,
      slowStart: 10_000,
      panicRatio: 0.5,
    },
    concurrency: 64,
    divideConcurrency: false,
    connections: 80,
    maxQueue: 2048,
    attemptTimeout: 1000,
    totalTimeout: undefined,
    connectTimeout: 1000,
    maxResponseBytes: 5 * 1024 * 1024,
    maxResponseHeaderBytes: 16 * 1024,
    maxRequestBytes: 5 * 1024 * 1024,
    maxJsonValues: 100_000,
    forwardHeaders: [],
    traceContext: false,
    headers: {},
    decompress: true,
    redirects: 0,
    pipelining: 1,
    layers: { call: [], attempt: [] },
    coalesces: false,
    coalescesReplicas: false,
    caches: false,
    listsStatuses: false,
    keyBatches: false,
    streams: false,
    changes: false,
    maxCacheBytes: 32 * 1024 * 1024,
    publicOnly: false,
    auth: undefined,
    tls: undefined,
    proxy: undefined,
    retry: { maxAttempts: 2, initialDelay: 25, maxDelay: 250 },
    hedge: false,
    retryBudget: { ratio: 0.2, minPerSecond: 10, shared: false },
    breaker: {
      failureRatio: 0.5,
      minimumCalls: 20,
      consecutiveFailures: 20,
      window: 10_000,
      openDuration: 5000,
      maxOpenDuration: 60_000,
    },
  })
  t.ok(Object.isFrozen(declared))
  t.ok(Object.isFrozen(specOf(declared)))
  t.ok(Object.isFrozen(specOf(declared).headers))
  t.ok(Object.isFrozen(specOf(declared).forwardHeaders))
  t.ok(Object.isFrozen(declared.ask))
  t.equal(declared.ask.path, '/ask')
  t.end()
})

test('a later change of the declared options has no effect', t => {
  const headers: Record<string, string> = { 'x-a': '1' }
  const forwardHeaders = ['X-Tenant']
  const spec = specOf(define({ headers, forwardHeaders, concurrency: 2 }))
  headers['x-b'] = '2'
  forwardHeaders.push('cookie')
  t.same(spec.headers, { 'x-a': '1' })
  t.same(spec.forwardHeaders, ['x-tenant'])
  t.equal(spec.connections, 18)
  t.end()
})

test('the operations of an upstream are listed by name and make calls that are inert', t => {
  const declared = define({})
  t.same(Object.keys(declared), ['ask'])
  const call = declared.ask()
  t.ok(call instanceof Call)
  t.equal(call.operation, 'cats.ask')
  t.match(call, { path: '/ask', body: undefined, idempotencyKey: undefined })
  t.end()
})

test('one operation may belong to two upstreams', t => {
  const other = defineUpstream('dogs', { origin: 'http://dogs.example' }, { ask })
  t.equal(define({}).ask().operation, 'cats.ask')
  t.equal(other.ask().operation, 'dogs.ask')
  t.end()
})

test("an upstream's name is lower case with hyphens", t => {
  for (const name of ['cats', 'the-cat-api', 'v2', 'a']) t.equal(specOf(define({}, name)).name, name)
  for (const name of ['', 'Cats', 'the_cat', '-cats', 'cats-', 'a--b', '2cats', 'cats.api', 'c\u00e4ts']) {
    t.throws(
      () => define({}, name),
      { name: 'TypeError', message: /lower case with hyphens, for example 'cat-facts'/ },
      name,
    )
  }
  t.end()
})

test('an origin is scheme, host and port with an optional path, and the message for another text names the fix', t => {
  for (const [given, expected] of [
    ['https://Cats.example/', 'https://cats.example'],
    ['http://127.0.0.1:80', 'http://127.0.0.1'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['https://cats.example/v1', 'https://cats.example/v1'],
    ['https://cats.example/v1/', 'https://cats.example/v1'],
    ['https://cats.example:8443/a//b.c/..d//', 'https://cats.example:8443/a//b.c/..d'],
    ['https://cats.example/a b/\u00e4', 'https://cats.example/a%20b/%C3%A4'],
  ] as const) {
    t.equal(specOf(define({ origin: given })).origin, expected)
  }
  for (const [given, message] of [
    ['cats.example', /write scheme, host and port/],
    ['', /not an origin/],
    ['ftp://cats.example', /not an origin/],
    ['file:///etc/passwd', /not an origin/],
    ['cats.example:80', /not an origin/],
    ['https://cats.example/?a=1', /more than an origin/],
    ['https://cats.example/#x', /more than an origin/],
    [
      'https://cats.example/v1?x',
      /'https:\/\/cats\.example\/v1\?x' is more than an origin: remove the query and the fragment/,
    ],
    ['https://cats.example/v1#x', /more than an origin: remove the query and the fragment/],
    [
      'https://cats.example/../x',
      /cats\.example\/\.\.\/x' contains a '\.' or '\.\.' segment: write the path without it/,
    ],
    ['https://cats.example/v1/.', /contains a '\.' or '\.\.' segment/],
    ['https://cats.example/v1/..', /contains a '\.' or '\.\.' segment/],
    ['https://cats.example/v1/%2e%2E/x', /contains a '\.' or '\.\.' segment/],
    ['https://cats.example/v1/.\t./x', /contains a '\.' or '\.\.' segment/],
    ['https://cats.example/a%2Fb', /contains a backslash or a slash that is encoded: write the path without it/],
    ['https://cats.example/a%252fb', /contains a backslash or a slash that is encoded/],
    ['https://cats.example/a\\b', /contains a backslash or a slash that is encoded/],
    ['https://cats.example/a%00b', /contains a NUL character/],
    ['https://user:pw@cats.example', /credentials: send them as a header/],
    ['https://user@cats.example', /credentials/],
  ] as const) {
    t.throws(() => define({ origin: given }), { name: 'TypeError', message }, given)
    t.throws(() => define({ origin: given }), { message: /upstream 'cats'/ })
  }
  t.end()
})

test('an origin that holds credentials is refused without showing them, whatever else is wrong with it', t => {
  for (const given of [
    'https://user:secret@cats.example',
    'https://user:secret@cats.example/v1?a=1',
    'https://user:secret@cats.example/a/../b',
    'ftp://user:secret@cats.example',
    'https://user:secret@cats.example:99999',
  ]) {
    let said: unknown
    try {
      define({ origin: given })
    } catch (error) {
      said = error
    }
    t.match(said, { name: 'TypeError' })
    t.notMatch(String(said), 'secret', given.replace('secret', '…'))
  }
  t.end()
})

test('a number is whole and within its bounds, and the message names option, value and unit', t => {
  for (const [options, message] of [
    [{ concurrency: 0 }, /concurrency must be a whole number from 1 to 2147483647, got 0/],
    [{ concurrency: 1.5 }, /concurrency must be .*, got 1\.5$/],
    [{ concurrency: '8' }, /concurrency must be .*, got 8$/],
    [{ concurrency: Number.NaN }, /NaN/],
    [{ connections: 0, concurrency: 1 }, /connections must be .*, got 0$/],
    [{ maxQueue: -1 }, /maxQueue must be a whole number from 0 to \d+, got -1/],
    [{ attemptTimeout: 0 }, /attemptTimeout must be a whole number of ms from 1 to \d+, got 0/],
    [{ attemptTimeout: 2 ** 31 }, /attemptTimeout must be .*, got 2147483648$/],
    [{ connectTimeout: Infinity }, /connectTimeout must be .*, got Infinity$/],
    [{ totalTimeout: 0 }, /totalTimeout must be .*, got 0$/],
    [{ maxRequestBytes: 0 }, /maxRequestBytes must be .*, got 0$/],
    [{ maxResponseBytes: 0 }, /maxResponseBytes must be .*, got 0$/],
    [{ maxResponseHeaderBytes: 1023 }, /maxResponseHeaderBytes must be a whole number from 1024 to 1048576, got 1023/],
    [{ maxResponseHeaderBytes: 2 ** 20 + 1 }, /maxResponseHeaderBytes must be .*, got 1048577$/],
    [{ maxResponseHeaderBytes: '16384' }, /maxResponseHeaderBytes must be .*, got 16384$/],
    [{ retry: { maxAttempts: 1 } }, /retry\.maxAttempts must be a whole number from 2 to \d+, got 1/],
    [{ retry: { initialDelay: -1 } }, /retry\.initialDelay must be .*, got -1$/],
    [{ retry: { maxDelay: 0.5 } }, /retry\.maxDelay must be .*, got 0\.5$/],
    [{ hedge: { delay: 0 } }, /hedge\.delay must be .*, got 0$/],
    [{ hedge: { percentile: 100 } }, /hedge\.percentile must be a number from 50 to 99\.99, got 100/],
    [{ hedge: { maxRatio: -1 } }, /hedge\.maxRatio must be .*, got -1$/],
    [{ retryBudget: { ratio: 2 } }, /retryBudget\.ratio must be a number from 0 to 1, got 2/],
    [{ retryBudget: { ratio: '0.5' } }, /retryBudget\.ratio must be a number from 0 to 1, got 0\.5/],
    [{ retryBudget: { minPerSecond: Number.NaN } }, /retryBudget\.minPerSecond must be .*, got NaN$/],
    [{ retryBudget: { shared: 1 } }, /retryBudget\.shared must be true or false, got a number$/],
    [{ divideConcurrency: 'yes' }, /divideConcurrency must be true or false, got a string$/],
    [{ divideConcurrency: true, concurrency: 'adaptive' }, /divideConcurrency excludes concurrency: 'adaptive'/],
    [{ breaker: { failureRatio: 0 } }, /breaker\.failureRatio must be .*, got 0$/],
    [{ breaker: { minimumCalls: 0 } }, /breaker\.minimumCalls must be .*, got 0$/],
    [{ breaker: { window: 5 } }, /breaker\.window must be .*, got 5$/],
    [{ breaker: { openDuration: 0 } }, /breaker\.openDuration must be .*, got 0$/],
    [{ breaker: { consecutiveFailures: 0 } }, /breaker\.consecutiveFailures must be .*, got 0$/],
    [
      { breaker: { openDuration: 100, maxOpenDuration: 99 } },
      /breaker\.maxOpenDuration must be a whole number of ms from 100 to \d+, got 99/,
    ],
  ] as const)
    t.throws(() => define(options), { name: 'TypeError', message }, JSON.stringify(options))
  t.match(
    specOf(define({ maxQueue: 0, concurrency: 1, connections: 3, attemptTimeout: 2 ** 31 - 1, totalTimeout: 1 })),
    {
      maxQueue: 0,
      concurrency: 1,
      connections: 3,
      attemptTimeout: 2 ** 31 - 1,
      totalTimeout: 1,
    },
  )
  t.end()
})

test('a missing option of a policy has its default, and each policy can be switched off', t => {
  t.same(specOf(define({ retry: { maxAttempts: 3 } })).retry, { maxAttempts: 3, initialDelay: 25, maxDelay: 250 })
  t.same(specOf(define({ hedge: true })).hedge, { delay: undefined, percentile: 98, maxRatio: 0.03 })
  t.same(specOf(define({ hedge: { delay: 50 } })).hedge, { delay: 50, percentile: 98, maxRatio: 0.03 })
  t.match(specOf(define({ retry: false, hedge: false, breaker: false })), {
    retry: false,
    hedge: false,
    breaker: false,
  })
  t.end()
})

test('an option that does not exist is refused, with those that do', t => {
  t.throws(() => define({ timeouts: 5 }), {
    name: 'TypeError',
    message: /upstream 'cats': unknown option 'timeouts': use origin, origins, balance, concurrency, /,
  })
  for (const group of ['retry', 'hedge', 'retryBudget', 'breaker'])
    t.throws(() => define({ [group]: { tries: 3 } }), { message: new RegExp(`unknown option '${group}.tries': use `) })
  t.throws(() => define({ retry: 3 }), {
    name: 'TypeError',
    message: "upstream 'cats': retry must be an object with some of maxAttempts, initialDelay, maxDelay",
  })
  t.throws(() => defineUpstream('cats', origin as never, { ask }), {
    name: 'TypeError',
    message: /^upstream 'cats': its options must be an object with some of origin, /,
  })
  t.throws(() => define({ breaker: [] }), { message: /breaker must be an object/ })
  t.throws(() => define({ hedge: 'yes' }), { message: /hedge must be an object/ })
  t.throws(() => declare({ cached: true }), {
    message: /cats\.ask: unknown option 'cached': use method, path, /,
  })
  t.end()
})

test('a concurrency above the connections is refused, with both ways out', t => {
  t.throws(() => define({ concurrency: 3, connections: 2 }), {
    name: 'TypeError',
    message: /concurrency is 3, above 2 connections.*raise connections or lower concurrency/,
  })
  t.end()
})

test('an adaptive concurrency brings 200 connections, or as many as are given', t => {
  t.match(specOf(define({ concurrency: 'adaptive' })), { concurrency: 'adaptive', connections: 200 })
  t.match(specOf(define({ concurrency: 'adaptive', connections: 5 })), { concurrency: 'adaptive', connections: 5 })
  t.throws(() => define({ concurrency: 'adaptive', connections: 0 }), {
    name: 'TypeError',
    message: /connections must be .*, got 0$/,
  })
  t.throws(() => define({ concurrency: 'many' }), { name: 'TypeError', message: /concurrency must be .*, got many$/ })
  t.end()
})

test('headers that belong to the connection or the message can be neither set nor forwarded', t => {
  for (const name of [
    'Host',
    'connection',
    'Content-Length',
    'content-type',
    'content-encoding',
    'Transfer-Encoding',
    'keep-alive',
    'te',
    'trailer',
    'Upgrade',
    'expect',
    'accept-encoding',
    'HTTP2-Settings',
    'proxy-authorization',
    'Proxy-Connection',
    'proxy-authenticate',
    'proxy-authentication-info',
    'proxy-any',
  ]) {
    for (const options of [{ headers: { [name]: 'x' } }, { forwardHeaders: [name] }])
      t.throws(() => define(options), {
        name: 'TypeError',
        message: new RegExp(`'${name}' belongs to one connection.*remove it`),
      })
  }
  for (const name of ['', 'a b', 'a:b', 'a\r\nb', 'ä']) {
    for (const options of [{ headers: { [name]: 'x' } }, { forwardHeaders: [name] }])
      t.throws(
        () => define(options),
        { name: 'TypeError', message: /is not the name of a header/ },
        JSON.stringify(name),
      )
  }
  for (const value of ['a\r\nb: c', 'a\0', '\u{1f408}'])
    t.throws(() => define({ headers: { 'x-a': value } }), {
      name: 'TypeError',
      message: /'x-a' contains characters that are not allowed in a header/,
    })
  t.match(specOf(define({ headers: { 'X-A': 'a\tb \xe9' }, forwardHeaders: ['Authorization'] })), {
    headers: { 'X-A': 'a\tb \xe9' },
    forwardHeaders: ['authorization'],
  })
  t.end()
})

test('headers that have no use in another request cannot be forwarded', t => {
  for (const [names, message] of [
    [
      ['set-cookie', 'Set-Cookie'],
      /cannot be forwarded, because it is a response header: remove it from forwardHeaders/,
    ],
    [['range', 'Range'], /requests a partial response, and a call needs the complete response/],
    [
      ['if-match', 'If-None-Match', 'if-modified-since', 'if-unmodified-since', 'if-range'],
      /refers to the response that the caller has stored/,
    ],
    [
      ['content-range', 'content-digest', 'Content-MD5', 'digest', 'repr-digest'],
      /describes the body of the caller's request, not the body of the call/,
    ],
  ] as const)
    for (const name of names)
      t.throws(() => define({ forwardHeaders: ['x-a', name] }), { name: 'TypeError', message }, name)
  t.same(
    specOf(define({ forwardHeaders: ['cache-control', 'If', 'ranges', 'constructor', '__proto__', 'toString'] }))
      .forwardHeaders,
    ['cache-control', 'if', 'ranges', 'constructor', '__proto__', 'tostring'],
  )
  t.end()
})

test('an operation that no upstream has cannot be asked, and the message says what to do', t => {
  t.throws(() => ask(), { name: 'TypeError', message: /'\/ask' belongs to no upstream: pass it to defineUpstream/ })
  t.equal(ask.path, '/ask')
  t.end()
})

test('a value that is not an operation is refused with its name', t => {
  for (const wrong of [() => {}, { path: '/a', output: z.unknown() }]) {
    t.throws(() => defineUpstream('cats', { origin }, { fact: wrong as unknown as Operation<never, unknown> }), {
      name: 'TypeError',
      message: /cats\.fact is not an operation: make it with operation/,
    })
  }
  t.throws(
    () => defineUpstream('cats', { origin }, { fact: define({}).ask }),
    { message: /is not an operation/ },
    'one that another upstream has',
  )
  t.end()
})

test('undefined, null and a string in place of an operation are refused with its name', t => {
  for (const wrong of [undefined, null, 'GET /a']) {
    t.throws(
      () => defineUpstream('cats', { origin }, { fact: wrong as unknown as Operation<never, unknown> }),
      { name: 'TypeError', message: /cats\.fact is not an operation/ },
      String(wrong),
    )
  }
  t.end()
})

test("an operation's declaration is refused where it cannot work, and the message says what to do", t => {
  for (const [options, message] of [
    [{ method: 'get' }, /cats\.ask: method must be one of GET, .*, got 'get'$/],
    [{ method: 'CONNECT' }, /method must be one of .*, got 'CONNECT'$/],
    [{ method: 'TRACE' }, /method must be one of .*, got 'TRACE'$/],
    [{ body: z.unknown() }, /a GET has no body: declare its input as query, or set method: 'QUERY'$/],
    [{ method: 'HEAD', body: z.unknown() }, /a HEAD has no body/],
    [{ method: 'HEAD' }, /cats\.ask: the response to HEAD has no body, so it cannot be JSON: set allowEmpty: true/],
    [{ method: 'HEAD', nullOn: [404], responseHeaders: z.object({}) }, /set allowEmpty: true/],
    [{ responseType: 'xml' }, /cats\.ask: responseType must be 'json', 'text' or 'bytes', got 'xml'/],
    [{ nullOn: ['404'] }, /nullOn must contain only statuses from 400 to 499, got 404/],
    [{ accept: [] }, /accept is empty, so no response is accepted: remove it, or name a media type/],
    [{ accept: ['json'] }, /accept has 'json', which is not a media type: write type\/subtype/],
    [{ accept: ['application/json; version=2'] }, /write type\/subtype without parameters/],
    [{ accept: ['text/*', 'text/\u00e9'] }, /is not a media type/],
    [{ accept: ['a/b\r\nx: y'] }, /is not a media type/],
    [{ path: '/{id}' }, /cats\.ask, params: there is no schema for '\{id\}' of the path: add id to params/],
    [{ path: '/{id+}' }, /cats\.ask, params: there is no schema for '\{id\}' of the path: add id to params/],
    [{ path: '/x{id+}', params: z.object({ id: z.string() }) }, /cats\.ask: '\{id\+\}' must be a whole segment/],
    [{ path: '/{id}', params: z.object({ Id: z.string() }) }, /there is no schema for '\{id\}'/],
    [
      { path: '/{id}', params: z.object({ id: z.object({ a: z.string() }) }) },
      /^cats\.ask, params, at \/properties\/id: 'object' cannot be written into a path: convert it to a string with \.transform/,
    ],
    [
      { path: '/{id}', params: z.object({ id: z.string().optional() }) },
      /cats\.ask, params, at \/properties\/id: 'optional' can be absent, and a path needs a value/,
    ],
    [
      { query: z.object({ filter: z.object({ a: z.string() }) }) },
      /^cats\.ask, query, at \/properties\/filter: 'object' cannot be written into a query/,
    ],
    [{ query: z.string() }, /^cats\.ask, query: 'string' cannot be written into a query/],
    [
      { method: 'POST', body: z.object({ a: z.map(z.string(), z.string()) }) },
      /^cats\.ask, body, at \/properties\/a: 'map' cannot be written as JSON/,
    ],
    [{ method: 'POST', coalesce: true }, /a POST has an effect.*remove coalesce, or set safe: true if it only reads$/],
    [{ method: 'PUT', coalesce: true }, /a PUT has an effect.*remove coalesce$/],
    [{ method: 'QUERY' }, /a QUERY has its question in the body: declare its input as body, or use GET$/],
    [{ method: 'QUERY', body: z.unknown(), safe: true }, /cats\.ask: a QUERY is always safe: remove safe$/],
    [{ safe: true }, /a GET is always safe: remove safe$/],
    [{ safe: false }, /a GET is always safe: remove safe$/],
    [{ method: 'PUT', safe: true }, /safe: true requires the method POST, because a PUT changes its resource$/],
    [{ method: 'POST', safe: 'yes' }, /cats\.ask: safe must be true or false, got a string$/],
    [
      { method: 'POST', safe: true, idempotencyKey: () => 'k' },
      /a POST with safe: true is always idempotent: remove idempotencyKey$/,
    ],
    [{ method: 'DELETE', coalesce: true }, /coalesce/],
    [{ coalesce: 'all' }, /^cats\.ask: coalesce must be true, false or 'replicas', got 'all'$/],
    [{ coalesce: null }, /^cats\.ask: coalesce must be true, false or 'replicas', got null$/],
    [
      { coalesce: 'replicas' },
      /^cats\.ask: coalesce: 'replicas' needs cache, because replicas share an answer through its store: add cache, or use coalesce: true$/,
    ],
    [
      {
        coalesce: 'replicas',
        cache: true,
        query: z.object({ ids: z.string() }),
        keyBatch: { maxKeys: 2, call: (ids: string[]) => ({ ids: ids.join() }), pick: () => 1 },
      },
      /^cats\.ask: coalesce: 'replicas' shares the answer of one call.*use coalesce: true, or remove keyBatch$/,
    ],
    [{ idempotencyKey: () => 'k' }, /a GET is always idempotent: remove idempotencyKey/],
    [
      { path: '/{id}', params: z.object({ id: z.string() }), query: z.object({ id: z.string() }) },
      /'id' is in params and in query.*rename one/,
    ],
    [{ nullOn: [500] }, /nullOn must contain only statuses from 400 to 499, got 500/],
    [{ nullOn: [404, 200] }, /got 200$/],
    [{ nullOn: [404.5] }, /got 404\.5$/],
  ] as const)
    t.throws(() => declare(options), { name: 'TypeError', message }, JSON.stringify(options))
  t.end()
})

test('a HEAD whose value is text or bytes has an empty one, and needs no allowEmpty', t => {
  for (const responseType of ['text', 'bytes'])
    t.match(declare({ method: 'HEAD', responseType }).ask().spec, { method: 'HEAD', responseType })
  t.end()
})

test('every method that can be called is taken, and only those that change nothing are safe', t => {
  for (const [method, safe] of [
    ['GET', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['POST', false],
    ['PUT', false],
    ['PATCH', false],
    ['DELETE', false],
  ] as const) {
    t.match(declare({ method, allowEmpty: true }).ask().spec, { method, safe })
  }
  t.end()
})

test('the upstream knows whether any of its operations coalesces calls', t => {
  t.equal(specOf(declare({ coalesce: true })).coalesces, true)
  t.equal(specOf(declare({})).coalesces, false)
  t.match(specOf(declare({ coalesce: 'replicas', cache: true })), { coalesces: true, coalescesReplicas: true })
  t.equal(specOf(declare({ coalesce: true, cache: true })).coalescesReplicas, false)
  t.equal(specOf(declare({ method: 'POST' })).changes, true)
  for (const method of ['GET', 'HEAD', 'OPTIONS'] as const)
    t.equal(specOf(declare({ method, allowEmpty: true })).changes, false, method)
  t.end()
})
