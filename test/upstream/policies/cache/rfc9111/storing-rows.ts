import { asctime, inSeconds, rfc850, type Head } from './server.ts'

/**
 * What the second of two equal requests comes to. A number: it is answered from the cache, for that many more seconds
 * at the time of the first answer. `miss`: it is sent without a condition. `asked`: it is sent with validators.
 * `stale`: a stale answer is given. `failed`: the call fails.
 */
export type Outcome = number | 'miss' | 'asked' | 'stale' | 'failed'

export interface Row {
  /** The section of RFC 9111 that decides. */
  readonly section: string
  readonly head: Head
  readonly second: Outcome
  readonly status?: number
  readonly method?: 'GET' | 'HEAD'
  /** The times that the operation has for answers that do not say. @default none */
  readonly policy?: 'ttl' | 'windows'
  /** Headers that the requests are sent with. @default {} */
  readonly request?: Readonly<Record<string, string>>
  /** Headers of the second request, where they differ. */
  readonly secondRequest?: Readonly<Record<string, string>>
  /** The status of the answers from the second on. @default that of the first */
  readonly later?: number
}

type Rest = Omit<Row, 'section' | 'head' | 'second'>

const row = (section: string, head: Head | string, second: Outcome, rest: Rest = {}): Row => ({
  section,
  head: typeof head === 'string' ? { 'cache-control': head } : head,
  second,
  ...rest,
})
const tag = { etag: '"a"' }
const control = (text: string | readonly string[], more: Head = {}): Head => ({ 'cache-control': text, ...more })
const ttl = { policy: 'ttl' } as const
const windows = { policy: 'windows' } as const
const bearer = { request: { authorization: 'Bearer x' } }

export const storing: readonly Row[] = [
  // Section 3: which answers may be stored
  row('3', 'max-age=1000', 1000),
  row('3', {}, 'miss'),
  row('3', 'public', 'miss'),
  row('3', {}, 1000, ttl),
  row('3', 'max-age=1000', 1000, { method: 'HEAD' }),
  row('3', {}, 'miss', { method: 'HEAD' }),
  row('3', 'max-age=1000', 1000, { status: 203 }),
  row('3', 'max-age=1000', 1000, { status: 204 }),
  row('3', {}, 1000, { status: 203, ...ttl }),
  row('3', {}, 1000, { status: 204, ...ttl }),
  row('3', 'max-age=1000', 1000, { status: 201 }),
  row('3', {}, 'miss', { status: 201, ...ttl }),
  row('3', 'max-age=1000', 1000, { status: 202 }),
  row('3', 'max-age=1000', 1000, { status: 299 }),
  row('3', {}, 'miss', { status: 299, ...ttl }),
  row('3', 'max-age=1000', 1000, { status: 404 }),
  row('3', { expires: inSeconds(1000) }, 1000, { status: 404 }),
  row('3', 's-maxage=1000', 1000, { status: 410 }),
  row('3', {}, 'miss', { status: 404, ...ttl }),
  row('3', 'max-age=1000', 'failed', { status: 206 }),
  row('3', {}, 'failed', { status: 206, ...ttl }),
  row('3', 'max-age=1000', 'failed', { status: 304 }),
  row('3', 'max-age=1000', 'failed', { status: 301 }),
  row('3', 'max-age=1000', 'failed', { status: 500 }),
  row('3', 'max-age=1000', 'failed', { status: 403 }),
  row('3', 'no-store', 'miss', ttl),
  row('3', 'no-store, max-age=1000', 'miss'),
  row('3', 'private', 'miss', ttl),
  row('3', 'private, max-age=1000', 'miss'),
  row('3', control('max-age=1000', { 'set-cookie': 'a=b' }), 'miss'),

  // Section 3.5: answers to Authorization
  row('3.5', 'max-age=1000', 'miss', bearer),
  row('3.5', { expires: inSeconds(1000) }, 'miss', bearer),
  row('3.5', 'max-age=1000, public', 1000, bearer),
  row('3.5', 'max-age=1000, must-revalidate', 1000, bearer),
  row('3.5', 's-maxage=1000', 1000, bearer),
  row('3.5', 'max-age=1000, PUBLIC', 1000, bearer),
  row('3.5', 'max-age=1000, proxy-revalidate', 'miss', bearer),
  row('3.5', 'max-age=1000, immutable', 'miss', bearer),
  row('3.5', 'max-age=1000, public, private', 'miss', bearer),
  row('3.5', 'max-age=1000, public, no-store', 'miss', bearer),
  row('3.5', 'max-age=1000, x="public"', 'miss', bearer),
  row('3.5', 'max-age=1000, xpublic', 'miss', bearer),
  row('3.5', control('max-age=10, s-maxage=0', tag), 'asked', bearer),
  row('3.5', 'max-age=1000, public', 'miss', { ...bearer, secondRequest: { authorization: 'Bearer y' } }),

  // Section 4.1: Vary
  row('4.1', control('max-age=1000', { vary: '*' }), 'miss'),
  row('4.1', control('max-age=1000', { vary: '*' }), 'miss', ttl),
  row('4.1', control('max-age=1000', { vary: 'accept, *' }), 'miss'),
  row('4.1', control('max-age=1000', { vary: ['accept', '*'] }), 'miss'),
  row('4.1', control('max-age=1000', { vary: ' , *,' }), 'miss'),
  row('4.1', control('max-age=1000', { vary: 'accept' }), 1000),
  row('4.1', control('max-age=1000', { vary: 'ACCEPT, Accept-Encoding' }), 1000),
  row('4.1', control('max-age=1000', { vary: '' }), 1000),
  row('4.1', control('max-age=1000', { vary: ', ,' }), 1000),
  row('4.1', control('max-age=1000', { vary: 'x-tenant' }), 1000),
  row('4.1', control('max-age=1000', { vary: 'X-TENANT, accept' }), 1000, { request: { 'x-tenant': 'a' } }),
  row('4.1', control('max-age=1000', { vary: 'x-tenant' }), 'miss', {
    request: { 'x-tenant': 'a' },
    secondRequest: { 'x-tenant': 'b' },
  }),
  row('4.1', control('max-age=1000', { vary: 'X-Tenant' }), 'miss', {
    request: { 'x-tenant': 'a' },
    secondRequest: {},
  }),
  row('4.1', control('max-age=1000', { vary: ['accept', 'x-tenant'] }), 'miss', { secondRequest: { 'x-tenant': 'b' } }),
  row('4.1', control('max-age=1000', { vary: '"*"' }), 1000),
  row('4.1', control('max-age=1000', { vary: 'x-nonce' }), 'miss'),
  row('4.1', control('max-age=1000', { vary: 'accept, X-NONCE' }), 'miss'),

  // Section 4.2.1: how long an answer is fresh
  row('4.2.1', 'max-age=1000, s-maxage=2000', 2000),
  row('4.2.1', 's-maxage=2000, max-age=1000', 2000),
  row('4.2.1', 'max-age=2000, s-maxage=1000', 1000),
  row('4.2.1', control('max-age=2000', { expires: inSeconds(1000) }), 2000),
  row('4.2.1', control('s-maxage=2000', { expires: inSeconds(1000) }), 2000),
  row('4.2.1', control('max-age=2000', { expires: '0' }), 2000),
  row('4.2.1', { expires: inSeconds(1000) }, 1000),
  row('4.2.1', { expires: inSeconds(1000), date: inSeconds(0) }, 1000),
  row('4.2.1', control('max-age=0', { expires: inSeconds(1000), ...tag }), 'asked'),
  row('4.2.1', control('max-age=ten', { expires: inSeconds(1000), ...tag }), 'asked'),
  row('4.2.1', 'max-age=1000, max-age=1000', 1000),
  row('4.2.1', control('max-age=1000, max-age=2000', tag), 'asked'),
  row('4.2.1', control(['max-age=1000', 'max-age=2000'], tag), 'asked'),
  row('4.2.1', control(['public', 'max-age=1000']), 1000),
  row('4.2.1', { expires: [inSeconds(1000), inSeconds(2000)], ...tag }, 'asked'),

  // Section 4.2.2: no heuristics
  row('4.2.2', { 'last-modified': inSeconds(-1_000_000) }, 'asked'),
  row('4.2.2', { 'last-modified': inSeconds(-1_000_000), date: inSeconds(0) }, 'asked'),
  row('4.2.2', control('public', { 'last-modified': inSeconds(-1_000_000) }), 'asked'),
  row('4.2.2', control('public', tag), 'asked'),

  // Sections 4.2.3 and 5.1: age
  row('4.2.3', control('max-age=2000', { age: '1000' }), 1000),
  row('4.2.3', control('max-age=2000', { date: inSeconds(-1000) }), 1000),
  row('4.2.3', control('max-age=3000', { date: inSeconds(-1000), age: '2000' }), 1000),
  row('4.2.3', control('max-age=3000', { date: inSeconds(-2000), age: '1000' }), 1000),
  row('4.2.3', control('max-age=1000', { date: inSeconds(5000) }), 1000),
  row('4.2.3', control('max-age=1000', { date: 'now' }), 1000),
  row('4.2.3', control('max-age=1000', { age: '1000', ...tag }), 'asked'),
  row('4.2.3', control('max-age=1000', { age: '999999', ...tag }), 'asked'),
  row('4.2.3', { expires: inSeconds(2000), age: '1000' }, 1000),
  row('4.2.3', { expires: inSeconds(6000), date: inSeconds(5000) }, 1000),
  row('4.2.3', control('max-age=2000', { date: rfc850(-1000) }), 1000),
  row('4.2.3', control('max-age=2000', { date: asctime(-1000) }), 1000),
  row('4.2.3', { age: '500' }, 1000, ttl),
  row('5.1', control('max-age=2000', { age: '0' }), 2000),
  row('5.1', control('max-age=2000', { age: '0001000' }), 1000),
  row('5.1', control('max-age=2000', { age: '-1000' }), 2000),
  row('5.1', control('max-age=2000', { age: '1000.5' }), 2000),
  row('5.1', control('max-age=2000', { age: 'old' }), 2000),
  row('5.1', control('max-age=2000', { age: '' }), 2000),
  row('5.1', control('max-age=2000', { age: '"1000"' }), 2000),
  row('5.1', control('max-age=2000', { age: '1000, 1500' }), 1000),
  row('5.1', control('max-age=2000', { age: ['1000', '1500'] }), 1000),
  row('5.1', control('max-age=2000', { age: ', 1000' }), 1000),
  row('5.1', control('max-age=2000', { age: 'x, 1000' }), 2000),
  row('5.1', control('max-age=2000', { age: '99999999999999999999', ...tag }), 'asked'),
  row('5.1', control('max-age=2147483648', { age: '2147482648' }), 1000),

  // Section 4.2.4: stale answers
  row('4.2.4', control('max-age=10', { age: '20' }), 'miss'),
  row('4.2.4', control('max-age=10', { age: '20', ...tag }), 'asked'),
  row('4.2.4', control('max-age=10', { age: '20' }), 'stale', windows),
  row('4.2.4', control('max-age=10, must-revalidate', { age: '20' }), 'miss', windows),
  row('4.2.4', control('max-age=10, proxy-revalidate', { age: '20' }), 'miss', windows),
  row('4.2.4', control('s-maxage=10', { age: '20' }), 'miss', windows),
  row('4.2.4', control('max-age=10, no-cache', { age: '20', ...tag }), 'asked', windows),
  row('4.2.4', control('max-age=10, stale-while-revalidate=1000', { age: '20' }), 'stale'),
  row('4.2.4', control('max-age=10, stale-while-revalidate=5', { age: '20', ...tag }), 'asked', windows),
  row('4.2.4', control('max-age=10, stale-if-error=1000', { age: '20' }), 'stale', { later: 503 }),
  row('4.2.4', control('max-age=10, stale-if-error=1000', { age: '20' }), 'stale', { later: 500 }),
  row('4.2.4', control('max-age=10, stale-if-error=1000', { age: '20' }), 'failed', { later: 501 }),
  row('4.2.4', control('max-age=10, stale-if-error=1000', { age: '20' }), 'failed', { later: 403 }),
  row('4.2.4', control('max-age=10, stale-if-error=5', { age: '20' }), 'failed', { later: 503 }),
  row('4.2.4', control('max-age=10, stale-if-error=x', { age: '20', ...tag }), 'failed', { later: 503 }),
  row('4.2.4', control('max-age=10, stale-if-error=1000, must-revalidate', { age: '20', ...tag }), 'failed', {
    later: 503,
  }),

  // Section 4.3.1: validators
  row('4.3.1', control('max-age=0', { etag: '"a"' }), 'asked'),
  row('4.3.1', control('max-age=0', { etag: 'W/"a"' }), 'asked'),
  row('4.3.1', control('max-age=0', { 'last-modified': inSeconds(-1000) }), 'asked'),
  row('4.3.1', control('max-age=0', { 'last-modified': rfc850(-1000) }), 'asked'),
  row('4.3.1', control('max-age=0', { 'last-modified': asctime(-1000) }), 'asked'),
  row('4.3.1', control('max-age=0', { 'last-modified': 'Fri, 31 Feb 2020 00:00:00 GMT' }), 'miss'),
  row('4.3.1', control('max-age=0', { 'last-modified': 'yesterday' }), 'miss'),
  row('4.3.1', control('max-age=0', { 'last-modified': [inSeconds(-1), inSeconds(-2)] }), 'miss'),
  row('4.3.1', control('max-age=0', { etag: ['"a"', '"b"'] }), 'miss'),
  row('4.3.1', 'max-age=0', 'miss'),
  row('4.3.1', control('max-age=0', { date: inSeconds(0) }), 'miss'),
  row('4.3.1', control('max-age=0', tag), 'asked', { method: 'HEAD' }),

  // Section 5.2: how directives are written
  row('5.2', 'MAX-AGE=1000', 1000),
  row('5.2', 'Max-Age=1000 , Public', 1000),
  row('5.2', 'max-age="1000"', 1000),
  row('5.2', 'max-age="10\\00"', 1000),
  row('5.2', ',, max-age=1000, ,', 1000),
  row('5.2', '\tmax-age=1000', 1000),
  row('5.2', 'max-age=01000', 1000),
  row('5.2', control('max-age=1000;x', tag), 'asked'),
  row('5.2', control('max-age=1000 x', tag), 'asked'),
  row('5.2', control('max-age=1000 public', tag), 'asked'),
  row('5.2', control('max-age = 1000', tag), 'asked'),
  row('5.2', control('max-age= 1000', tag), 'asked'),
  row('5.2', 'foo, max-age=1000', 1000),
  row('5.2', 'foo=bar, max-age=1000', 1000),
  row('5.2', 'foo="max-age=5, no-store", max-age=1000', 1000),
  row('5.2', 'foo="a\\", no-store", max-age=1000', 1000),
  row('5.2', 'xno-store, no-storex, max-age=1000', 1000),
  row('5.2', '"no-store', 'miss', ttl),
  row('5.2', 'NO-STORE', 'miss', ttl),
  row('5.2', 'no-store=1', 'miss', ttl),
  row('5.2', 'foo;no-store', 1000, ttl),
  row('5.2', ['max-age=1000', 'no-store'].join(','), 'miss'),

  // Section 5.2.2: the directives of answers
  row('5.2.2.1', control('max-age=0', tag), 'asked'),
  row('5.2.2.1', control('max-age', tag), 'asked'),
  row('5.2.2.1', control('max-age=', tag), 'asked'),
  row('5.2.2.1', control('max-age=""', tag), 'asked'),
  row('5.2.2.1', control('max-age=-1000', tag), 'asked'),
  row('5.2.2.1', control('max-age=+1000', tag), 'asked'),
  row('5.2.2.1', control('max-age=1000.0', tag), 'asked'),
  row('5.2.2.1', control('max-age=1e3', tag), 'asked'),
  row('5.2.2.1', control('max-age=0x3e8', tag), 'asked'),
  row('5.2.2.1', control("max-age='1000'", tag), 'asked'),
  row('5.2.2.1', 'max-age=2147483648', 2_147_483_648),
  row('5.2.2.1', 'max-age=99999999999999999999', 2_147_483_648),
  row('5.2.2.1', control('max-age=ten', tag), 'asked', ttl),
  row('5.2.2.1', 'max-age=2000', 2000, ttl),
  row('5.2.2.2', 'must-revalidate, max-age=1000', 1000),
  row('5.2.2.2', 'must-revalidate', 1000, ttl),
  row('5.2.2.2', control('must-revalidate=x, max-age=10', { age: '20' }), 'miss', windows),
  row('5.2.2.3', 'must-understand, no-store, max-age=1000', 1000),
  row('5.2.2.3', 'no-store, MUST-UNDERSTAND, max-age=1000', 1000, { status: 404 }),
  row('5.2.2.3', 'must-understand, no-store, max-age=1000', 'miss', { status: 299 }),
  row('5.2.2.3', 'must-understand, max-age=1000', 'miss', { status: 299 }),
  row('5.2.2.3', 'must-understand, no-store', 'miss'),
  row('5.2.2.3', 'must-understand, private, max-age=1000', 'miss'),
  row('5.2.2.4', control('no-cache', tag), 'asked'),
  row('5.2.2.4', control('no-cache, max-age=1000', tag), 'asked'),
  row('5.2.2.4', control('NO-CACHE, s-maxage=1000', tag), 'asked'),
  row('5.2.2.4', control('no-cache="x-a", max-age=1000', tag), 'asked'),
  row('5.2.2.4', control('no-cache=', tag), 'asked', ttl),
  row('5.2.2.4', 'no-cache, max-age=1000', 'miss'),
  row('5.2.2.5', control('no-store, no-cache', tag), 'miss'),
  row('5.2.2.6', 'no-transform, max-age=1000', 1000),
  row('5.2.2.7', 'private="x-a", max-age=1000', 'miss'),
  row('5.2.2.7', 'PRIVATE, max-age=1000', 'miss'),
  row('5.2.2.7', 'private, s-maxage=1000', 'miss'),
  row('5.2.2.8', control('proxy-revalidate, max-age=10', { age: '20', ...tag }), 'asked', windows),
  row('5.2.2.9', 'public, max-age=1000', 1000),
  row('5.2.2.9', 'public', 1000, ttl),
  row('5.2.2.9', 'public', 'miss', { status: 404, ...ttl }),
  row('5.2.2.10', 's-maxage=1000', 1000),
  row('5.2.2.10', 'S-MaxAge="1000"', 1000),
  row('5.2.2.10', control('max-age=1000, s-maxage=0', tag), 'asked'),
  row('5.2.2.10', control('max-age=1000, s-maxage', tag), 'asked'),
  row('5.2.2.10', control('max-age=1000, s-maxage=x', tag), 'asked'),
  row('5.2.2.10', control('s-maxage=1000, s-maxage=2000', tag), 'asked'),
  row('5.2.2.10', control('max-age=1000, s-maxage=-1', tag), 'asked'),
  row('5.2.3', 'immutable, max-age=1000', 1000),
  row('5.2.3', 'community="UCI", max-age=1000', 1000),

  // Section 5.2.1: the directives of requests
  row('5.2.1.5', 'max-age=1000', 'miss', { request: { 'cache-control': 'no-store' } }),
  row('5.2.1.5', {}, 'miss', { request: { 'cache-control': 'max-age=0, No-Store' }, ...ttl }),
  row('5.2.1', 'max-age=1000', 1000, { request: { 'cache-control': 'no-cache' } }),
  row('5.2.1', 'max-age=1000', 1000, { request: { 'cache-control': 'x="no-store"' } }),

  // Section 5.3: Expires
  row('5.3', { expires: '0', ...tag }, 'asked'),
  row('5.3', { expires: '-1', ...tag }, 'asked'),
  row('5.3', { expires: '', ...tag }, 'asked'),
  row('5.3', { expires: 'never', ...tag }, 'asked'),
  row('5.3', { expires: '4102444800', ...tag }, 'asked'),
  row('5.3', { expires: inSeconds(-1000), ...tag }, 'asked'),
  row('5.3', { expires: inSeconds(0), date: inSeconds(0), ...tag }, 'asked'),
  row('5.3', { expires: rfc850(1000) }, 1000),
  row('5.3', { expires: asctime(1000) }, 1000),
  row('5.3', { expires: inSeconds(1000).toLowerCase(), ...tag }, 'asked'),
  row('5.3', { expires: inSeconds(1000).replace('GMT', '+0500 GMT'), ...tag }, 'asked'),
  row('5.3', { expires: inSeconds(1000).replace('GMT', 'UTC'), ...tag }, 'asked'),
  row('5.3', { expires: inSeconds(1000).replace(' GMT', ''), ...tag }, 'asked'),
  row('5.3', { expires: new Date(Date.now() + 1e6).toISOString(), ...tag }, 'asked'),
  row('5.3', { expires: 'Thu, 2050', ...tag }, 'asked'),
  row('5.3', { expires: 'Thu, 31 Feb 2050 00:00:00 GMT', ...tag }, 'asked'),
  row('5.3', { expires: 'Tue, 01 Feb 2050 24:00:00 GMT', ...tag }, 'asked'),
  row('5.3', { expires: '0', ...tag }, 'asked', ttl),
  row('5.3', control('no-store', { expires: inSeconds(1000) }), 'miss'),

  // Sections 5.4 and 5.5: what is obsolete
  row('5.4', control('max-age=1000', { pragma: 'no-cache' }), 1000),
  row('5.4', { pragma: 'no-cache' }, 1000, ttl),
  row('5.5', control('max-age=1000', { warning: '110 - "stale"' }), 1000),
]
