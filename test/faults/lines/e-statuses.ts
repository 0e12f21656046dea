import type { Test } from 'tap'
import { z } from 'zod'
import type { RawRequest } from '../../helpers/raw-upstream.ts'
import { secret } from '../../helpers/hostile-upstream.ts'
import type { Entry, Line } from '../helpers/entry.ts'
import { says, type Victim } from '../helpers/victim.ts'
import { good, status, typed } from '../helpers/wire.ts'
import { elsewhere } from '../scenes/redirects.ts'
import { refusedTokens } from '../scenes/tokens.ts'

const failed = { required: 502, optional: 'fallback', withinMs: 40, connectionsAfter: 1 } as const
const unexpected = { code: 'UPSTREAM_STATUS', ...failed } as const
const busy = { code: 'UPSTREAM_BUSY', ...failed, required: 503 } as const
const post = {
  operation: { method: 'POST', body: z.object({ text: z.string() }), input: { body: { text: 'a' } } },
} as const
/** A body that the upstream filled with its own words, of which a step takes only whether they came. */
const Heard = z.object({ error: z.string() }).transform(() => 'heard')
const heard = (code: number, attempts: number) =>
  ({
    operation: { responses: { 200: z.object({ word: z.string() }), [code]: Heard } },
    required: 200,
    optional: 'ok',
    value: { status: code, body: 'heard' },
    attempts,
    withinMs: 40,
    connectionsAfter: 1,
    also: asked(2 * attempts),
  }) as const
const following = { redirects: 3 } as const
const reset = says(socket => socket.resetAndDestroy())
const unknown = { upstream: reset, code: 'OUTCOME_UNKNOWN', ...failed, connectionsAfter: 0 } as const
const nowhere = [
  ['a loop', ''],
  ['another port', 'http://127.0.0.1:1/'],
  ['http: from https:', 'http://127.0.0.1/'],
  ['a file', 'file:///etc/passwd'],
  ['ftp:', 'ftp://127.0.0.1/'],
  ['data:', 'data:application/json,{}'],
  ['nothing', undefined],
  ['no address', '::::'],
] as const

/** Says once for each caller that it is too much, and then answers. */
function onceBusy(code: number, lines: readonly string[]): Line['upstream'] {
  return t => {
    const asked = new Set<string>()
    return says(
      (socket, request) =>
        socket.write(asked.has(request.path) ? good(request) : status(code, lines)) && asked.add(request.path),
    )(t)
  }
}

const asked =
  (count: number, check: (request: RawRequest) => boolean = () => true) =>
  (t: Test, { requests }: Victim) => {
    t.equal(requests.length, count, `it was asked ${count} times in all`)
    t.ok(requests.every(check), 'and as it ought to be')
  }

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()
const later = { ...busy, attempts: 1, deadline: 700 } as const

/** What a status means for who asks again, and for what is learnt. */
export const statuses: readonly Entry[] = [
  ...([500, 502, 504] as const).map((code): Line => ({
    no: 59,
    fault: `${code}`,
    upstream: says(status(code)),
    ...unexpected,
    attempts: 2,
  })),
  { no: 59, fault: '503', upstream: says(status(503)), ...busy, attempts: 2 },
  ...([500, 502, 503, 504] as const).map((code): Line => ({
    no: 59,
    fault: `${code}, which the operation lists`,
    upstream: says(status(code)),
    ...heard(code, 2),
  })),
  {
    no: 59,
    fault: '503 as HTML, which the operation lists as JSON',
    upstream: says(typed('text/html', `<p>${secret}`, [], '503 Busy')),
    ...busy,
    attempts: 2,
    operation: heard(503, 2).operation,
  },
  ...([501, 505, 507, 511] as const).map((code): Line => ({
    no: 59,
    fault: `${code}`,
    upstream: says(status(code)),
    ...unexpected,
  })),
  {
    no: 59,
    fault: '500, and then a good answer',
    upstream: onceBusy(500, []),
    required: 200,
    optional: 'ok',
    attempts: 2,
    withinMs: 40,
    connectionsAfter: 1,
  },
  ...([429, 503] as const).flatMap((code): Line[] => [
    {
      no: 60,
      fault: `${code} for longer than the deadline`,
      upstream: says(status(code, ['retry-after: 2'])),
      ...later,
      retryAfter: /^2$/,
    },
    {
      no: 60,
      fault: `${code} for a second, and then a good answer`,
      upstream: onceBusy(code, ['retry-after: 1']),
      required: 200,
      optional: 'ok',
      attempts: 2,
      afterMs: 1000,
      withinMs: 1060,
      connectionsAfter: 1,
    },
  ]),
  {
    no: 61,
    fault: 'retry-after a date to come',
    upstream: says(socket => socket.write(status(503, [`retry-after: ${inSeconds(5)}`]))),
    ...later,
    retryAfter: /^[45]$/,
  },
  {
    no: 61,
    fault: 'retry-after a date in 100 years',
    upstream: says(status(503, ['retry-after: Sat, 01 Jan 2126 00:00:00 GMT'])),
    ...later,
    retryAfter: /^60$/,
  },
  {
    no: 61,
    fault: 'retry-after a date gone by',
    upstream: says(status(503, ['retry-after: Sun, 06 Nov 1994 08:49:37 GMT'])),
    ...busy,
    attempts: 2,
  },
  ...[
    'Sun, 06 Nov 2126 08:49:37 +0200',
    'Sun, 06 Nov 2126 08:49:37 PST',
    'Sun, 36 Nov 2126 08:49:37 GMT',
    'soon',
    '2126-11-06',
    '2126-11-06T08:49:37Z',
  ].map((date): Line => ({
    no: 61,
    fault: `retry-after a bad date: ${date}`,
    upstream: says(status(503, [`retry-after: ${date}`])),
    ...busy,
    attempts: 2,
  })),
  ...['0', '-5', '1e3', '1e9', '0x1', 'Infinity', '1.5', '1, 2', '', '+1', '٣'].map((value): Line => ({
    no: 62,
    fault: `retry-after: '${value}'`,
    upstream: says(status(503, [`retry-after: ${Buffer.from(value).toString('latin1')}`])),
    ...busy,
    attempts: 2,
  })),
  {
    no: 62,
    fault: 'retry-after twice',
    upstream: says(status(503, ['retry-after: 20', 'retry-after: 30'])),
    ...busy,
    attempts: 2,
  },
  ...['999999999', '1000000000', '9'.repeat(400)].map((value): Line => ({
    no: 62,
    fault: `retry-after: ${value.slice(0, 12)}, which is far too long`,
    upstream: says(status(429, [`retry-after: ${value}`])),
    ...later,
    deadline: 10_000,
    retryAfter: /^60$/,
  })),
  ...([401, 403, 407] as const).map((code): Line => ({
    no: 63,
    fault: `${code}`,
    upstream: says(status(code, ['www-authenticate: Basic'])),
    ...unexpected,
    learnt: 'ignored',
  })),
  {
    no: 63,
    fault: 'a token that is refused, and then all tokens',
    right: 'one new token for all calls, once, and nothing is learnt of the upstream',
    play: refusedTokens,
  },
  { no: 64, fault: '408', upstream: says(status(408)), ...unexpected, attempts: 2 },
  { no: 64, fault: '425', upstream: says(status(425)), ...unexpected, attempts: 2, learnt: 'ignored' },
  ...([400, 404, 409, 410, 412, 418, 422, 451] as const).map((code): Line => ({
    no: 64,
    fault: `${code}`,
    upstream: says(status(code)),
    ...unexpected,
    learnt: 'ignored',
  })),
  ...([401, 403, 404, 409, 422] as const).map((code): Line => ({
    no: code < 404 ? 63 : 64,
    fault: `${code}, which the operation lists`,
    upstream: says(status(code)),
    ...heard(code, 1),
  })),
  ...([408, 425, 429] as const).map((code): Line => ({
    no: 64,
    fault: `${code}, which the operation lists`,
    upstream: says(status(code)),
    ...heard(code, 2),
  })),
  {
    no: 64,
    fault: '409 with another body than the operation lists',
    upstream: says(typed('application/json', JSON.stringify({ text: secret }), [], '409 Conflict')),
    ...unexpected,
    code: 'UPSTREAM_SCHEMA',
    learnt: 'ignored',
    operation: heard(409, 1).operation,
  },
  { no: 65, fault: 'a POST that breaks off', ...unknown, ...post, also: asked(2) },
  { no: 65, fault: 'a POST that is answered 503', upstream: says(status(503)), ...busy, ...post, also: asked(2) },
  {
    no: 65,
    fault: 'a POST that is never answered',
    ...unknown,
    ...post,
    upstream: says(() => {}),
    required: 504,
    deadline: 200,
    afterMs: 200,
    withinMs: 210,
    also: asked(2),
  },
  {
    no: 65,
    fault: 'a POST with an idempotency key that breaks off',
    ...unknown,
    operation: { ...post.operation, idempotencyKey: () => 'key-1' },
    attempts: 2,
    also: asked(4, ({ headers }) => headers.some(([name, value]) => name === 'idempotency-key' && value === 'key-1')),
  },
  {
    no: 65,
    fault: 'a PATCH that breaks off',
    ...unknown,
    operation: { ...post.operation, method: 'PATCH' },
    also: asked(2),
  },
  {
    no: 65,
    fault: 'a PUT that breaks off',
    ...unknown,
    operation: { ...post.operation, method: 'PUT' },
    attempts: 2,
    also: asked(4),
  },
  {
    no: 65,
    fault: 'a DELETE that breaks off',
    ...unknown,
    operation: { method: 'DELETE' },
    attempts: 2,
    also: asked(4),
  },
  ...([301, 302, 303, 307, 308] as const).map((code): Line => ({
    no: 66,
    fault: `${code} to itself`,
    upstream: says((socket, { path }) => socket.write(status(code, [`location: ${path}`]))),
    ...unexpected,
    also: asked(2),
  })),
  ...([301, 302, 303, 307, 308] as const).map((code): Line => ({
    no: 66,
    fault: `${code} to itself, which is followed`,
    upstream: says((socket, { path }) => socket.write(status(code, [`location: ${path}#again`]))),
    ...unexpected,
    options: following,
    also: asked(2),
  })),
  {
    no: 66,
    fault: 'a redirect to two paths that redirect to each other',
    upstream: says((socket, { path }) =>
      socket.write(status(307, [`location: ${path.endsWith('?b') ? path.slice(0, -2) : `${path}?b`}`])),
    ),
    ...unexpected,
    options: following,
    also: asked(4),
  },
  {
    no: 66,
    fault: 'redirects to new paths without end',
    upstream: says((socket, { path }) => socket.write(status(302, [`location: ${path}a`]))),
    ...unexpected,
    options: following,
    also: asked(8),
  },
  {
    no: 66,
    fault: 'a redirect to a good answer',
    upstream: says((socket, request) =>
      socket.write(
        request.path.startsWith('/moved/')
          ? good(request)
          : status(301, [`location: /moved/${request.path.split('/').at(-1)}`]),
      ),
    ),
    required: 200,
    optional: 'ok',
    withinMs: 40,
    connectionsAfter: 1,
    options: following,
    also: asked(4),
  },
  {
    no: 67,
    fault: 'redirects to another origin',
    right: 'is not followed, so no credential gets there',
    play: elsewhere,
  },
  ...nowhere.map(([what, location]): Line => ({
    no: 68,
    fault: `a redirect to ${what}`,
    upstream: says(status(302, location === undefined ? [] : [`location: ${location}`])),
    ...unexpected,
    also: asked(2),
  })),
  // '' and '::::' are relative paths, which lead to the same path again.
  ...[...nowhere, ['a URL without a host', 'http://['] as const]
    .filter(([what]) => what !== 'a loop' && what !== 'no address')
    .map(([what, location]): Line => ({
      no: 68,
      fault: `a redirect to ${what}, where redirects are followed`,
      upstream: says(status(302, location === undefined ? [] : [`location: ${location}`])),
      ...unexpected,
      options: following,
      also: asked(2),
    })),
  ...([301, 302, 303, 307, 308] as const).map((code): Line => ({
    no: 69,
    fault: `${code} to a POST, where redirects are followed`,
    upstream: says((socket, { path }) => socket.write(status(code, [`location: ${path}/other`]))),
    ...unexpected,
    ...post,
    options: following,
    also: asked(2, ({ method }) => method === 'POST'),
  })),
  ...([301, 302, 303, 307, 308] as const).map((code): Line => ({
    no: 69,
    fault: `${code} to a POST`,
    upstream: says((socket, { path }) => socket.write(status(code, [`location: ${path}`]))),
    ...unexpected,
    ...post,
    also: asked(2, ({ method }) => method === 'POST'),
  })),
  {
    no: 70,
    fault: 'a cookie',
    upstream: says((socket, request) =>
      socket.write(good(request, [`set-cookie: id=${secret}`, `set-cookie2: id=${secret}`])),
    ),
    required: 200,
    optional: 'ok',
    withinMs: 20,
    connectionsAfter: 1,
    also: asked(2, ({ headers }) => headers.every(([name]) => name !== 'cookie')),
  },
  {
    no: 70,
    fault: 'a cookie with a bad answer',
    upstream: says(status(404, [`set-cookie: id=${secret}`])),
    ...unexpected,
    learnt: 'ignored',
    also: asked(2, ({ headers }) => headers.every(([name]) => name !== 'cookie')),
  },
]
