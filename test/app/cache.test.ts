import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { json, rawUpstream, written } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

const Any = z.unknown()
/** Seconds in tens, since this machine may be slow. */
const tens = (text: string | null) =>
  text?.replaceAll(/(age|ttl)=(-?\d+)/g, (_, name, seconds) => `${name}=${Math.floor(Number(seconds) / 10) * 10}`)

/** Serves aggregates that ask for things that are kept in every way. */
async function serve(t: Test, logger?: object) {
  let asked = 0
  const raw = await rawUpstream(t, (socket, { path, headers }) => {
    asked++
    const isAgain = headers.some(([name]) => name === 'if-none-match')
    if (path === '/fresh') socket.write(json('fresh', 200, { 'cache-control': 'max-age=60', age: '10' }))
    else if (path === '/old')
      socket.write(json('old', 200, { 'cache-control': 'max-age=60, stale-while-revalidate=60', age: '70' }))
    else if (path === '/same')
      socket.write(
        isAgain
          ? written(304, { 'content-length': undefined }, '')
          : json('same', 200, { 'cache-control': 'no-cache', etag: '"a"' }),
      )
    else if (path === '/sure' && asked > 5) socket.write(json({}, 500))
    else if (path === '/gone' && asked > 5) socket.destroy()
    else socket.write(json('sure', 200, { 'cache-control': 'max-age=60, stale-if-error=600', age: '90' }))
  })
  const kept = (path: string) => operation({ path, output: Any, cache: true })
  const {
    fresh,
    old,
    same,
    sure,
    gone,
    plain: plainly,
  } = defineUpstream(
    'raw',
    { origin: raw.origin, retry: false, concurrency: 1 },
    {
      fresh: kept('/fresh'),
      old: kept('/old'),
      same: kept('/same'),
      sure: kept('/sure'),
      gone: kept('/gone'),
      plain: operation({ path: '/plain', output: Any }),
    },
  )
  const base = (name: string, envelope = true, cacheControl?: string) =>
    aggregate(name, {
      url: `/${name}`,
      envelope,
      ...(cacheControl !== undefined && { cacheControl }),
      deadline: 20_000,
    })
  const all = base('all')
    .required('fresh', () => fresh())
    .required('old', () => old())
    .required('same', () => same())
    .required('sure', () => sure())
    .required('gone', () => gone())
    .reply(Any, () => 1)
  const bare = base('bare', false, 'public, max-age=60')
    .required('fresh', () => fresh())
    .reply(Any, ({ fresh }) => fresh)
  const plain = base('plain')
    .required('plain', () => plainly())
    .reply(Any, () => 1)
  return serveApp(t, { aggregates: [all, bare, plain], ...(logger && { logger }) })
}

test('Cache-Status has a member for each step with a cache (RFC 9211)', async t => {
  const { get } = await serve(t)
  t.equal(
    (await get('/all')).headers.get('cache-status'),
    ['fresh', 'old', 'same', 'sure', 'gone'].map(name => `headwaters;fwd=miss;detail=${name}`).join(', '),
  )
  const { headers, body } = await get<{ complete: boolean; sources: object }>('/all')
  t.equal(
    tens(headers.get('cache-status')),
    [
      'headwaters;hit;ttl=40;detail=fresh',
      'headwaters;hit;ttl=-20;detail=old',
      'headwaters;fwd=stale;fwd-status=304;detail=same',
      'headwaters;fwd=stale;fwd-status=500;ttl=-40;detail=sure',
      'headwaters;fwd=stale;ttl=-40;detail=gone',
    ].join(', '),
  )
  t.equal(body.complete, false)
  t.equal(headers.get('cache-control'), 'no-store')
  t.match(body.sources, {
    fresh: { state: 'ok', cache: 'hit', age: Number, ttl: Number },
    old: { state: 'ok', cache: 'stale' },
    same: { state: 'ok', cache: 'miss', status: 304 },
    sure: { state: 'stale', cache: 'stale', code: 'UPSTREAM_STATUS', status: 500 },
    gone: { state: 'stale', cache: 'stale', code: 'UPSTREAM_RESET' },
  })
})

test('a reply of steps without a cache has no Cache-Status', async t => {
  const { get } = await serve(t)
  t.equal((await get('/plain')).headers.get('cache-status'), null)
})

test('a reply without an envelope has the same in its headers, and no age', async t => {
  const { get } = await serve(t)
  await get('/bare')
  const { headers, text } = await get('/bare')
  t.equal(text, '"fresh"')
  t.equal(tens(headers.get('cache-status')), 'headwaters;hit;ttl=40;detail=fresh')
  t.match(
    tens(headers.get('headwaters-sources')),
    /^fresh=ok;start=[\d.]+;ms=[\d.]+;attempts=0;status=200;cache=hit;age=10;ttl=40$/,
  )
  t.equal(headers.get('age'), null)
  t.equal(headers.get('cache-control'), 'public, max-age=60')
  const again = await get('/bare', { headers: { 'if-none-match': headers.get('etag') as string } })
  t.equal(again.status, 304)
})

test('the log has the reason why a stale response was used', async t => {
  const lines: string[] = []
  const { get } = await serve(t, {
    level: 'info',
    stream: {
      write: (line: string) => {
        lines.push(line)
      },
    },
  })
  await get('/all')
  await get('/all')
  const { sources } = lines
    .map(line => JSON.parse(line) as { msg: string; sources: object })
    .find(({ msg }) => msg === 'reply is partial') ?? { sources: {} }
  t.match(sources, {
    sure: { state: 'stale', code: 'UPSTREAM_STATUS' },
    gone: { state: 'stale', code: 'UPSTREAM_RESET' },
  })
})
