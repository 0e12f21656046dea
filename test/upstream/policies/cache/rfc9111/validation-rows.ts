import { asctime, inSeconds, rfc850, type Head } from './server.ts'

/**
 * An answer that is stale, and the 304 to a request with its validators. `confirmed`: the kept answer is given.
 * `fetched`: the request is sent again without a condition.
 */
export interface ValidationRow {
  readonly section: string
  readonly kept: Head
  readonly head304: Head
  readonly second: 'confirmed' | 'fetched'
  /** What a third request comes to after the 304: fresh from the cache for that many seconds, or asked again. */
  readonly third?: number | 'asked' | 'miss'
  /** Headers that an operation reads after the 304; `null` for one that is not there. */
  readonly headers?: Readonly<Record<string, string | null>>
}

const row = (
  section: string,
  kept: Head,
  head304: Head,
  second: ValidationRow['second'],
  rest: Pick<ValidationRow, 'third' | 'headers'> = {},
): ValidationRow => ({ section, kept, head304, second, ...rest })

const a = { etag: '"a"' }
const weak = { etag: 'W/"a"' }
const then = -100_000
const since = { 'last-modified': inSeconds(then) }
const fresh = { 'cache-control': 'max-age=1000' }

export const validation: readonly ValidationRow[] = [
  // Section 4.3.4: which answer a 304 is about
  row('4.3.4', a, { ...a, ...fresh }, 'confirmed', { third: 1000 }),
  row('4.3.4', a, { etag: '"b"', ...fresh }, 'fetched'),
  row('4.3.4', a, fresh, 'confirmed', { third: 1000 }),
  row('4.3.4', a, { ...weak, ...fresh }, 'confirmed', { third: 1000 }),
  row('4.3.4', weak, { ...weak, ...fresh }, 'confirmed', { third: 1000 }),
  row('4.3.4', weak, { ...a, ...fresh }, 'fetched'),
  row('4.3.4', weak, { etag: 'W/"b"' }, 'fetched'),
  row('4.3.4', a, { etag: ['"a"', '"b"'] }, 'fetched'),
  row('4.3.4', since, { ...since, ...fresh }, 'confirmed', { third: 1000 }),
  row('4.3.4', since, fresh, 'confirmed', { third: 1000 }),
  row('4.3.4', since, { 'last-modified': rfc850(then), ...fresh }, 'confirmed', { third: 1000 }),
  row('4.3.4', since, { 'last-modified': asctime(then), ...fresh }, 'confirmed', { third: 1000 }),
  row('4.3.4', since, { 'last-modified': inSeconds(then + 60), ...fresh }, 'fetched'),
  row('4.3.4', since, { 'last-modified': inSeconds(then - 60), ...fresh }, 'fetched'),
  row('4.3.4', since, { 'last-modified': 'yesterday', ...fresh }, 'fetched'),
  row('4.3.4', since, { ...a, ...since, ...fresh }, 'fetched'),
  row('4.3.4', since, { ...weak, ...since, ...fresh }, 'fetched'),
  row('4.3.4', a, { ...since, ...fresh }, 'fetched'),
  row('4.3.4', { ...a, ...since }, { ...since, ...fresh }, 'confirmed', { third: 1000 }),
  row('4.3.4', { ...a, ...since }, { 'last-modified': inSeconds(then + 60), ...fresh }, 'fetched'),
  row('4.3.4', { ...a, ...since }, { ...a, 'last-modified': inSeconds(then + 60), ...fresh }, 'confirmed'),
  row('4.3.4', { ...weak, ...since }, { ...weak, 'last-modified': inSeconds(then + 60), ...fresh }, 'fetched'),
  row('4.3.4', { ...weak, ...since }, { ...weak, ...since, ...fresh }, 'confirmed', { third: 1000 }),

  // Section 3.2: a 304 updates the headers
  row('3.2', { ...a, 'cache-control': 'max-age=0' }, {}, 'confirmed', { third: 'asked' }),
  row('3.2', { ...a, 'cache-control': 'max-age=0' }, fresh, 'confirmed', { third: 1000 }),
  row('3.2', { ...a, 'cache-control': 'no-cache' }, fresh, 'confirmed', { third: 1000 }),
  row('3.2', { ...a, 'cache-control': 'max-age=0' }, { expires: inSeconds(1000) }, 'confirmed', { third: 'asked' }),
  row('3.2', { ...a, expires: '0' }, { expires: inSeconds(1000) }, 'confirmed', { third: 1000 }),
  row('3.2', a, { 'cache-control': 'no-store' }, 'confirmed', { third: 'miss' }),
  row('3.2', a, { 'cache-control': 'private, max-age=1000' }, 'confirmed', { third: 'miss' }),
  row('3.2', a, { ...fresh, vary: '*' }, 'confirmed', { third: 'miss' }),
  row('3.2', a, { ...fresh, 'set-cookie': 'a=b' }, 'confirmed', { third: 'miss' }),
  // The age of the old answer is over.
  row('3.2', { ...a, 'cache-control': 'max-age=1000', age: '5000' }, {}, 'confirmed', { third: 1000 }),
  row('3.2', { ...a, 'cache-control': 'max-age=1000', date: inSeconds(-5000) }, {}, 'confirmed', { third: 1000 }),
  row('3.2', { ...a, 'cache-control': 'max-age=2000', age: '5000' }, { age: '1000' }, 'confirmed', { third: 1000 }),
  row('3.2', { ...a, 'cache-control': 'max-age=2000', age: '5000' }, { date: inSeconds(-1000) }, 'confirmed', {
    third: 1000,
  }),
  row('3.2', { ...a, 'x-one': '1', 'x-two': '2' }, { 'x-two': '3' }, 'confirmed', {
    headers: { 'x-one': '1', 'x-two': '3' },
  }),
  row('3.2', { ...a, link: ['a', 'b'] }, { link: 'c' }, 'confirmed', { headers: { link: 'c' } }),
  row('3.2', a, { 'x-new': '1' }, 'confirmed', { headers: { 'x-new': '1', etag: '"a"' } }),
  row('3.2', a, { ...weak }, 'confirmed', { headers: { etag: 'W/"a"' } }),
  row('3.2', { ...a, ...since }, { ...a, 'last-modified': inSeconds(then + 60) }, 'confirmed', {
    headers: { 'last-modified': inSeconds(then + 60) },
  }),
  row('3.2', a, { 'content-type': 'text/html' }, 'confirmed', { headers: { 'content-type': 'application/json' } }),
  row('3.2', a, { 'content-encoding': 'gzip' }, 'confirmed', { headers: { 'content-encoding': null } }),
  row('3.2', a, { 'content-range': 'bytes 0-1/9' }, 'confirmed', { headers: { 'content-range': null } }),
  row('3.2', { ...a, age: '5' }, {}, 'confirmed', { headers: { age: null } }),

  // Section 3.1: headers that are not stored
  row('3.1', { ...a, 'x-hop': '1', connection: 'x-hop' }, {}, 'confirmed', {
    headers: { 'x-hop': null, connection: null },
  }),
  row('3.1', { ...a, 'x-hop': '1', connection: 'keep-alive, X-HOP,, x-other' }, {}, 'confirmed', {
    headers: { 'x-hop': null },
  }),
  row('3.1', { ...a, 'x-hop': '1' }, { 'x-hop': '2', connection: 'x-hop' }, 'confirmed', { headers: { 'x-hop': '1' } }),
  row('3.1', { ...a, 'keep-alive': 'timeout=5', upgrade: 'h2c', te: 'trailers' }, {}, 'confirmed', {
    headers: { 'keep-alive': null, upgrade: null, te: null },
  }),
  row('3.1', { ...a, 'proxy-authenticate': 'Basic', 'proxy-authentication-info': 'x' }, {}, 'confirmed', {
    headers: { 'proxy-authenticate': null, 'proxy-authentication-info': null },
  }),
  row('3.1', { ...a, 'x-kept': '1', connection: 'close' }, {}, 'confirmed', { headers: { 'x-kept': '1' } }),
]
