import { test } from 'tap'
import { errors, Problem, toProblem, UpstreamError, type ErrorCode } from '../src/errors.ts'

const codes = Object.keys(errors) as ErrorCode[]

test('every code has a 4xx or 5xx status, a title and a text that goes on after a name', t => {
  t.ok(codes.length > 20)
  for (const code of codes) {
    const { status, title, text } = errors[code]
    t.match(code, /^[A-Z]+(?:_[A-Z]+)*$/)
    t.ok(Number.isInteger(status) && status >= 400 && status <= 599, `${code}: ${status}`)
    t.match(title, /^[A-Z]/, code)
    t.match(text, /^[a-z].*[^.]$/, code)
  }
  t.end()
})

test('only what says something about an upstream may be worth asking again', t => {
  for (const code of codes) {
    const { verdict, retryable } = errors[code]
    if (retryable) t.equal(verdict, 'failed', code)
  }
  t.end()
})

test('an upstream error names the upstream and its failure, and keeps no stack', t => {
  const limit = Error.stackTraceLimit
  const cause = new Error('socket hang up')
  const error = new UpstreamError('UPSTREAM_RESET', 'cats', { cause, detail: 'twice' })
  t.match(error, {
    name: 'UpstreamError',
    code: 'UPSTREAM_RESET',
    source: 'cats',
    statusCode: 502,
    verdict: 'failed',
    retryable: true,
    cause,
    message: 'cats closed the connection before its answer was complete: twice',
  })
  t.type(error, Error)
  t.notMatch(error.stack ?? '', /\n\s+at /)
  t.equal(Error.stackTraceLimit, limit, 'the next error keeps its own')
  t.equal(
    new UpstreamError('BULKHEAD_FULL', 'cats').message,
    'cats is at its concurrency limit, and its queue is full or too slow',
  )
  t.end()
})

test('the fields given to an upstream error replace those of the table', t => {
  const error = new UpstreamError('OUTCOME_UNKNOWN', 'cats', {
    verdict: 'ignored',
    statusCode: 502,
    retryAfterMs: 5,
    upstreamStatus: 503,
  })
  t.match(error, { verdict: 'ignored', statusCode: 502, retryAfterMs: 5, upstreamStatus: 503 })
  t.end()
})

test('a 4xx is our own bad question and says nothing about the upstream, except 408 and 429', t => {
  const verdictOf = (upstreamStatus: number) => new UpstreamError('UPSTREAM_STATUS', 'cats', { upstreamStatus }).verdict
  for (const status of [400, 401, 403, 404, 409, 410, 422, 425, 451])
    t.equal(verdictOf(status), 'ignored', String(status))
  for (const status of [304, 408, 429, 500, 501, 503, 505]) t.equal(verdictOf(status), 'failed', String(status))
  t.end()
})

test('after some statuses asking again may help, and after others it does not', t => {
  const retryable = (upstreamStatus: number, code: ErrorCode = 'UPSTREAM_STATUS') =>
    new UpstreamError(code, 'cats', { upstreamStatus }).retryable
  for (const status of [408, 425, 429, 500, 502, 503, 504]) t.equal(retryable(status), true, String(status))
  for (const status of [301, 400, 404, 422, 501, 505]) t.equal(retryable(status), false, String(status))
  t.equal(retryable(429, 'UPSTREAM_BUSY'), true)
  t.equal(retryable(500, 'UPSTREAM_JSON'), false)
  t.equal(new UpstreamError('UPSTREAM_STATUS', 'cats').retryable, false)
  t.end()
})

test('a problem is written as RFC 9457 says, and what it does not have is not in it', t => {
  t.same(JSON.parse(JSON.stringify(new Problem('NOT_FOUND'))), {
    type: 'urn:headwaters:problem:not-found',
    title: 'Not found',
    status: 404,
    detail: 'The service has no resource at this path.',
    code: 'NOT_FOUND',
  })
  const faults = [{ pointer: '/query/count', reason: 'too large' }]
  t.same(
    JSON.parse(
      JSON.stringify(new Problem('INPUT_INVALID', { status: 422, detail: 'one fault', faults, sources: { a: 1 } })),
    ),
    {
      type: 'urn:headwaters:problem:input-invalid',
      title: 'Invalid input',
      status: 422,
      detail: 'one fault',
      code: 'INPUT_INVALID',
      errors: faults,
      sources: { a: 1 },
    },
  )
  for (const code of codes) t.notMatch(JSON.stringify(new Problem(code)), 'undefined', code)
  t.end()
})

test('a problem of 503 always says after how long to ask again', t => {
  t.equal(new Problem('DRAINING').retryAfterSeconds, 1)
  t.equal(new Problem('DRAINING', { retryAfterSeconds: 7 }).retryAfterSeconds, 7)
  t.equal(new Problem('NOT_FOUND').retryAfterSeconds, undefined)
  t.equal(new Problem('NOT_FOUND', { retryAfterSeconds: 7 }).retryAfterSeconds, 7)
  t.end()
})

test('with sources it is the same problem', t => {
  const cause = new Error('why')
  const faults = [{ pointer: '/query/count', reason: 'too large' }]
  const full = new Problem('REFUSED', {
    status: 409,
    detail: 'busy',
    faults,
    retryAfterSeconds: 9,
    sources: { old: 1 },
    type: 'https://cats.example/problems/busy',
    authorCode: 'CAT_BUSY',
    headers: { 'x-nap': '1' },
    cause,
  })
  const sources = { step: { state: 'ok' } }
  t.match(full.with(sources), {
    code: 'REFUSED',
    statusCode: 409,
    detail: 'busy',
    faults,
    retryAfterSeconds: 9,
    sources,
    cause,
    title: 'Refused',
    type: 'https://cats.example/problems/busy',
    authorCode: 'CAT_BUSY',
    headers: { 'x-nap': '1' },
  })
  const bare = new Problem('NOT_FOUND').with(sources)
  t.match(bare, { code: 'NOT_FOUND', statusCode: 404, sources })
  t.equal(bare.faults, undefined)
  t.equal(bare.retryAfterSeconds, undefined)
  t.same([bare.type, bare.authorCode, bare.headers], ['urn:headwaters:problem:not-found', undefined, undefined])
  t.end()
})

test('a problem is its own problem', t => {
  const problem = new Problem('NOT_FOUND')
  t.equal(toProblem(problem), problem)
  t.end()
})

test('a failure of an upstream is described by its code and its step', t => {
  const error = new UpstreamError('UPSTREAM_STATUS', 'cats', { upstreamStatus: 500, detail: 'status 500' })
  const problem = toProblem(error)
  t.match(problem, {
    code: 'UPSTREAM_STATUS',
    statusCode: 502,
    detail: 'cats answered with an unexpected status: status 500.',
    cause: error,
  })
  t.equal(problem.retryAfterSeconds, undefined)
  t.equal(toProblem(error, 'facts').detail, "Step 'facts': cats answered with an unexpected status: status 500.")
  t.equal(toProblem(error, 'cats').detail, problem.detail)
  t.equal(toProblem(new UpstreamError('OUTCOME_UNKNOWN', 'cats', { statusCode: 502 })).statusCode, 502)
  t.end()
})

test('a Retry-After is handed on in whole seconds, rounded up, from 1 to 60, and only with 503', t => {
  const seconds = (retryAfterMs: number | undefined, code: ErrorCode = 'UPSTREAM_BUSY') =>
    toProblem(new UpstreamError(code, 'cats', { retryAfterMs })).retryAfterSeconds
  for (const [ms, expected] of [
    [0, 1],
    [1, 1],
    [1000, 1],
    [1001, 2],
    [59_001, 60],
    [60_000, 60],
    [1e12, 60],
  ] as const)
    t.equal(seconds(ms), expected, `${ms} ms`)
  t.equal(seconds(undefined), 1)
  t.equal(seconds(5000, 'UPSTREAM_STATUS'), undefined)
  t.end()
})

test('any other error is an internal error, and its cause is only in the log', t => {
  for (const thrown of [new TypeError('secret of the house'), 'secret of the house', undefined, null, 42]) {
    const problem = toProblem(thrown, 'facts')
    t.match(problem, { code: 'INTERNAL', statusCode: 500 })
    t.equal(problem.cause, thrown)
    t.notMatch(JSON.stringify(problem), 'secret')
  }
  t.end()
})

test('instanceof answers for anything that was thrown, and tells subclasses apart', async t => {
  class Own extends UpstreamError {}
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const value of [
    proxy,
    undefined,
    null,
    'text',
    Symbol('a'),
    {},
    new Error('a'),
    Object.create(UpstreamError.prototype),
  ] as unknown[]) {
    t.notOk(value instanceof UpstreamError)
    t.notOk(value instanceof Problem)
  }
  const [plain, own] = [new UpstreamError('UPSTREAM_TIMEOUT', 'cats'), new Own('UPSTREAM_TIMEOUT', 'cats')]
  t.ok(plain instanceof UpstreamError && plain instanceof Error && own instanceof UpstreamError && own instanceof Own)
  t.notOk(plain instanceof Own)
  t.ok(new Problem('INTERNAL') instanceof Problem)
})
